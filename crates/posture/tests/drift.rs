//! `drift::compare` on files.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use posture::drift::{Comparison, Content, DriftError, compare};
use tempfile::TempDir;

struct Files {
    folder: TempDir,
    declared: PathBuf,
    actual: PathBuf,
}

fn files(declared: &str, actual: &str) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        path
    };
    let (declared, actual) = (path("declared", declared), path("actual", actual));
    Files {
        folder,
        declared,
        actual,
    }
}

#[test]
fn the_same_is_the_same() {
    let files = files("a = 1\n", "a = 1\n");
    let drift = compare(&files.declared, &files.actual, Comparison::Exact).unwrap();
    assert_eq!(drift.content, Content::Same);
    assert!(drift.content_agrees());
    assert_eq!((drift.mode(), drift.owner()), (None, None));
    assert_eq!(drift.declared.bytes, 6);
    // `printf 'a = 1\n' | sha256sum`
    let sum = "cb78bd8a17f7b751fe0d4663366dcbc257204033ef7ddd64b1f2969573b5b2e2";
    assert_eq!(drift.declared.sha256, sum);
    assert_eq!(Some(drift.declared), drift.actual);
}

#[test]
fn a_changed_secret_is_seen_to_be_changed_and_not_shown() {
    let files = files(
        "port = 1\npassword = correct horse\nuser = a\n",
        "port = 2\npassword = battery staple\nuser = a\n",
    );
    let drift = compare(&files.declared, &files.actual, Comparison::Exact).unwrap();
    let Content::Text(diff) = &drift.content else {
        panic!("{drift:?}");
    };
    let expected = [
        "@@ -1,3 +1,3 @@",
        "-port = 2",
        "-password = ****",
        "+port = 1",
        "+password = ****",
        " user = a",
    ];
    assert_eq!(diff.lines[2..], expected);
    assert_eq!((diff.left_out, diff.lines_changed), (0, 2));
    let debug = format!("{drift:?}");
    assert!(
        !debug.contains("horse") && !debug.contains("staple"),
        "{debug}"
    );
}

#[test]
fn a_line_that_is_a_secret_because_of_one_outside_the_hunk_is_masked() {
    let key = |last: &str| {
        let body = "abcd\n".repeat(20);
        format!("-----BEGIN PRIVATE KEY-----\n{body}{last}\n-----END PRIVATE KEY-----\n")
    };
    let files = files(&key("wxyz"), &key("wxy="));
    let drift = compare(&files.declared, &files.actual, Comparison::Exact).unwrap();
    let Content::Text(diff) = drift.content else {
        panic!("{drift:?}");
    };
    let text = diff.to_string();
    assert!(!text.contains("abcd") && !text.contains("wxy"), "{text}");
}

#[test]
fn what_is_not_there_is_missing_and_an_undeclared_file_is_an_error() {
    let files = files("a", "b");
    let nowhere = files.folder.path().join("nowhere");
    let drift = compare(&files.declared, &nowhere, Comparison::Exact).unwrap();
    assert_eq!(
        (drift.content.clone(), &drift.actual),
        (Content::Missing, &None)
    );
    assert!(!drift.content_agrees());
    assert_eq!((drift.mode(), drift.owner()), (None, None));
    let error = compare(&nowhere, &files.actual, Comparison::Exact).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("reading what is declared, {}", nowhere.display())
    );
    let error = compare(&files.declared, files.folder.path(), Comparison::Exact).unwrap_err();
    assert!(matches!(error, DriftError::Actual { .. }), "{error}");
}

#[test]
fn modes_are_told_apart_from_content() {
    let files = files("a", "a");
    fs::set_permissions(&files.actual, fs::Permissions::from_mode(0o4755)).unwrap();
    let link = files.folder.path().join("link");
    symlink(&files.actual, &link).unwrap();
    let drift = compare(&files.declared, &link, Comparison::Exact).unwrap();
    assert!(drift.content_agrees());
    assert_eq!(drift.mode(), Some((0o640, 0o4755)));
}

#[test]
fn what_is_secret_as_a_whole_is_not_shown() {
    let files = files("h:1:d:u:one\n", "");
    let actual = files.folder.path().join(".pgpass");
    fs::write(&actual, "h:1:d:u:two\n").unwrap();
    let drift = compare(&files.declared, &actual, Comparison::Exact).unwrap();
    assert_eq!(drift.content, Content::Opaque);
}

#[test]
fn normalising_is_off_unless_asked_for() {
    let files = files("# one\na = 1\n", "a = 1   \n\n# two\n");
    let compare = |how| compare(&files.declared, &files.actual, how).unwrap();
    assert!(!compare(Comparison::default()).content_agrees());
    let drift = compare(Comparison::Normalised);
    assert_eq!(drift.content, Content::Equivalent);
    assert_ne!(drift.declared.sha256, drift.actual.unwrap().sha256);
}
