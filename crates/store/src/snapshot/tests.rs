//! Two generations on a real file system.

use super::*;

fn snapshots(dir: &Path) -> Snapshots {
    Snapshots::new(dir.to_owned(), 1)
}

fn save(dir: &Path, text: &str) {
    snapshots(dir)
        .save(Timestamp::from_millis(1), |out| {
            out.write_all(text.as_bytes())
        })
        .unwrap();
}

fn restore(dir: &Path) -> Restored<String> {
    snapshots(dir).restore(|input| {
        let mut text = String::new();
        input.read_to_string(&mut text)?;
        if text == "poison" {
            Err("poison".into())
        } else {
            Ok(text)
        }
    })
}

fn text(restored: &Restored<String>) -> Option<&str> {
    restored.state.as_ref().map(|(text, _)| text.as_str())
}

#[test]
fn the_newest_is_found_and_the_one_before_when_it_is_broken() {
    let dir = tempfile::tempdir().unwrap();
    assert!(restore(dir.path()).state.is_none());
    for generation in ["one", "two", "three"] {
        save(dir.path(), generation);
        assert_eq!(text(&restore(dir.path())), Some(generation));
    }
    let current = dir.path().join(CURRENT);
    let mut bytes = fs::read(&current).unwrap();
    bytes.pop();
    fs::write(&current, &bytes).unwrap();
    let restored = restore(dir.path());
    assert_eq!(text(&restored), Some("two"));
    assert_eq!(restored.refused.len(), 1);
    let aside = restored.refused[0].kept_as.as_ref().unwrap();
    assert_eq!(
        fs::read(aside).unwrap(),
        bytes,
        "the broken one is kept to be looked at"
    );
    save(dir.path(), "four");
    assert_eq!(text(&restore(dir.path())), Some("four"));
}

#[test]
fn contents_that_the_engine_refuses_fall_back_too() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path(), "good");
    save(dir.path(), "poison");
    let restored = restore(dir.path());
    assert_eq!(text(&restored), Some("good"));
    assert_eq!(
        restored.refused[0].error.to_string(),
        "its contents do not fit this engine: poison"
    );
}

#[test]
fn a_full_disk_leaves_the_old_snapshot_and_no_litter() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path(), "old");
    let full = snapshots(dir.path()).save(Timestamp::from_millis(2), |out| {
        out.write_all(&[0; 1000])?;
        Err(io::ErrorKind::StorageFull.into())
    });
    assert_eq!(full.unwrap_err().source.kind(), io::ErrorKind::StorageFull);
    assert_eq!(text(&restore(dir.path())), Some("old"));
    assert!(!dir.path().join(UNFINISHED).exists());
}

#[test]
fn what_a_killed_writer_left_behind_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path(), "one");
    save(dir.path(), "two");
    // Killed while writing, and killed between the two renames.
    fs::write(dir.path().join(UNFINISHED), b"FORESTALL-SNAP").unwrap();
    assert_eq!(text(&restore(dir.path())), Some("two"));
    fs::remove_file(dir.path().join(CURRENT)).unwrap();
    let restored = restore(dir.path());
    assert_eq!(text(&restored), Some("one"));
    assert!(restored.refused.is_empty());
    save(dir.path(), "three");
    assert_eq!(text(&restore(dir.path())), Some("three"));
}
