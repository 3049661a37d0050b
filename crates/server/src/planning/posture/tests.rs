//! What is said of reports as they change.

use super::*;

#[test]
fn the_fix_of_the_installed_branch_is_taken() {
    assert_eq!(nearest("1.1.1k-1", "3.0.7, 1.1.1s-1"), "1.1.1s-1");
    assert_eq!(nearest("2.0", "3.0.7, 1.1.1s-1"), "3.0.7");
    assert_eq!(nearest("2.0", ""), "");
}

#[test]
fn a_report_that_names_something_no_more_takes_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.json");
    let report = |packages: &str| {
        let text = format!(
            r#"{{"SchemaVersion":2,"ArtifactName":"web","Results":[{{"Target":"web","Vulnerabilities":[{packages}]}}]}}"#
        );
        std::fs::write(&path, text).unwrap();
    };
    let one = r#"{"VulnerabilityID":"CVE-2026-1","PkgName":"openssl","InstalledVersion":"1.0","FixedVersion":"1.1","Severity":"HIGH"}"#;
    report(one);
    let mut looker = Looker::new(FindingsConfig {
        reports: vec![path.clone()],
        ..FindingsConfig::default()
    });
    let now = Timestamp::from_millis(1_000_000);
    let found = looker.look(now);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].is_present);
    assert_eq!(looker.look(now).len(), 1, "it is repeated");
    report("");
    // Two files written within a tick of the file system's clock look the same.
    looker.reports.get_mut(&path).unwrap().written = None;
    let found = looker.look(now);
    assert_eq!(
        found.iter().map(|one| one.is_present).collect::<Vec<_>>(),
        [false]
    );
}
