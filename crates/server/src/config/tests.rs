//! What a person meets who writes a configuration.

use predict::anomaly::DETECTORS;
use toml::{Table, Value};

use super::*;

#[test]
fn the_documented_text_is_the_default() {
    assert_eq!(
        Config::parse(&Config::default_toml(), "printed").unwrap(),
        Config::default()
    );
    assert_eq!(Config::parse("", "empty").unwrap(), Config::default());
}

#[test]
fn every_key_is_documented() {
    fn keys(table: &Table, at: &str, out: &mut Vec<String>) {
        for (key, value) in table {
            let path = format!("{at}.{key}");
            if let Value::Table(inner) = value {
                keys(inner, &path, out);
            } else {
                out.push(path);
            }
        }
    }
    let (mut documented, mut there) = (Vec::new(), Vec::new());
    keys(
        &Config::default_toml().parse().unwrap(),
        "",
        &mut documented,
    );
    keys(&Table::try_from(Config::default()).unwrap(), "", &mut there);
    documented.sort();
    there.sort();
    assert_eq!(documented, there);
}

#[test]
fn options_of_detectors_are_shown_and_can_be_set() {
    for entry in DETECTORS {
        assert!(Config::default_toml().contains(&format!("# [engine.detectors.{}]\n", entry.name)));
        let text = format!(
            "[engine.detectors.{}]\nenabled = true\n{}",
            entry.name, entry.example
        );
        Config::parse(&text, "detector").unwrap();
    }
}

#[test]
fn all_errors_are_shown_at_once() {
    let text = r#"
        [server]
        listen = "nowhere"
        max_streams = 0
        tls_cert = "a.pem"
        prot = 3
        [host]
        interval_s = "fast"
        top_processes = -1
        [sevrer]
        listen = "127.0.0.1:1"
        [engine]
        profile = "huge"
        ensemble.event_threshold = nan
        detectors.nothing_like_it.enabled = true
    "#;
    let error = Config::parse(text, "forestall.toml").unwrap_err();
    let mut keys: Vec<&str> = error
        .problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "engine.detectors.nothing_like_it",
            "engine.ensemble.event_threshold",
            "engine.profile",
            "host.interval_s",
            "host.top_processes",
            "server.listen",
            "server.max_streams",
            "server.prot",
            "server.tls_key",
            "sevrer",
        ]
    );
    let shown = error.to_string();
    assert!(
        shown.starts_with("forestall.toml cannot be used:\n  "),
        "{shown}"
    );
    assert!(
        shown.contains("server.max_streams: 0 is not between 1 and 100000"),
        "{shown}"
    );
    assert!(
        shown.contains("server.prot: unknown field `prot`, expected one of `listen`"),
        "{shown}"
    );
}

#[test]
fn bad_toml_names_its_line() {
    let error = Config::parse("[host]\nenabled = \n", "x").unwrap_err();
    assert!(error.problems[0].message.starts_with("line 2: "), "{error}");
}

#[test]
fn an_unreadable_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let shown = Config::load(&dir.path().join("none.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        shown.contains("none.toml cannot be used:") && shown.contains("No such file"),
        "{shown}"
    );
}

#[test]
fn an_address_that_others_reach_needs_protection() {
    let try_it =
        |more: &str| Config::parse(&format!("[server]\nlisten = \"0.0.0.0:7878\"\n{more}"), "x");
    assert_eq!(try_it("").unwrap_err().problems[0].key, "server.listen");
    assert!(try_it("token_file = \"t\"").is_err());
    assert!(try_it("tls_cert = \"c\"\ntls_key = \"k\"").is_err());
    try_it("tls_cert = \"c\"\ntls_key = \"k\"\ntoken_file = \"t\"").unwrap();
    try_it("allow_insecure_remote = true").unwrap();
    Config::parse("[server]\nlisten = \"[::1]:7878\"", "x").unwrap();
}
