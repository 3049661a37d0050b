//! What a person meets who writes a configuration.

use expect_test::expect;
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
fn examples_beside_the_keys_work_as_they_stand() {
    // Lists of tables stand there as comments, each from its header to the next line that is none.
    let mut examples = String::new();
    let mut is_within = false;
    for line in Config::default_toml().lines() {
        is_within = line.starts_with("# [[") || is_within && line.starts_with("# ");
        if is_within {
            examples.push_str(&line[2..]);
            examples.push('\n');
        }
    }
    let config = Config::parse(&examples, "examples").unwrap();
    assert!(config.safety.policies.len() == 1 && config.topology.services.len() == 1);
    let topology = remedy::topology::Topology::from_declared(&config.topology).unwrap();
    let undeclared = topology.undeclared();
    let undeclared: Vec<String> = undeclared.map(|it| it.id.to_string()).collect();
    assert!(undeclared.is_empty(), "{undeclared:?}");
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

/// The problems of a text, each as a line.
fn problems(text: &str) -> Vec<String> {
    let error = Config::parse(text, "x").unwrap_err();
    let lines = error.problems.into_iter();
    lines
        .map(|Problem { key, message }| format!("{key}: {message}"))
        .collect()
}

#[test]
fn errors_in_lists_name_the_element_the_field_and_the_value() {
    let told = problems(
        r#"
        [safety]
        hands_off = ["cpu_saturation", "cpu", 3]
        time_zone = "Mars/Base"
        [[safety.freezes]]
        from = "2026-12-20"
        to = 2026-12-27
        reason = true
        [[safety.freezes]]
        from = 2026-12-20T00:00:00Z
        reason = "holidays"
        [[safety.freezes]]
        from = "2027-01-02T00:00:00Z"
        to = 2026-12-20T00:00:00+01:00
        reason = "holidays"
        [[safety.windows]]
        days = ["monday", "munday"]
        from = "2:00"
        to = 05:00:00
        [[safety.policies]]
        name = "a"
        effect = "deny"
        expression = "plan.stratgy == 'x'"
        [[topology.services]]
        name = "api"
        atributes = { manager = "kubernetes" }
        [[topology.services]]
        name = "pay"
        tier = 9
        [[topology.volumes]]
        name = true
        attributes = { growable = true }
        [[planner.people]]
        name = "ana"
        authority = "root"
        [[findings.rules]]
        class = "network_latency"
        above = 1.0
        [[findings.drift]]
        declared = "/a"
        "#,
    );
    expect![[r#"
        findings.drift[0]: missing field `actual`
        planner.people[0].authority: unknown variant `root`, expected one of `operator`, `owner`, `administrator`
        safety.freezes[0].from: "2026-12-20" is not an instant: expected a day, a time and a zone, such as 2026-12-20T00:00:00Z or 2026-12-20T00:00:00+01:00
        safety.freezes[0].reason: invalid type: boolean `true`, expected a string
        safety.freezes[0].to: "2026-12-27" is not an instant: expected a day, a time and a zone, such as 2026-12-20T00:00:00Z or 2026-12-20T00:00:00+01:00
        safety.freezes[1]: missing field `to`
        safety.hands_off[1]: unknown variant `cpu`, expected one of `process_crash`, `cpu_saturation`, `memory_exhaustion`, `disk_exhaustion`, `network_latency`, `slow_queries`, `certificate_expiry`, `vulnerability`, `configuration_drift`
        safety.hands_off[2]: 3: invalid type: unit variant, expected string only
        safety.time_zone: "Mars/Base" is not a time zone of the IANA database: expected UTC, or a name such as Europe/Berlin
        safety.windows[0].days[1]: unknown variant `munday`, expected one of `monday`, `tuesday`, `wednesday`, `thursday`, `friday`, `saturday`, `sunday`
        safety.windows[0].from: "2:00": failed to parse two digit integer as hour: invalid digit, expected 0-9 but got :
        topology.services[0].atributes: unknown field `atributes`, expected one of `name`, `owner`, `tier`, `part_of`, `instances`, `runs_on`, `depends_on`, `stores_on`, `uses`, `attributes`
        topology.volumes[0].attributes.growable: invalid type: boolean `true`, expected a string
        topology.volumes[0].name: invalid type: boolean `true`, expected a string
        findings.rules[0].metric: a rule needs either a metric or a family of resources
        safety.freezes[2]: it begins at 2027-01-02T00:00:00Z and ends at 2026-12-19T23:00:00Z, which is not later
        safety.policies[0].expression: the expression of policy "a" cannot be worked out: it reads plan.stratgy; plan has actions, authority, capacity_away, confidence, is_approved, reversibility, risk, strategy
        topology.services[1].tier: tier is 9, expected 1 (everything depends on it) to 4 (nobody would notice)"#]].assert_eq(&told.join("\n"));
}

#[test]
fn times_may_stand_without_quotes() {
    let text = "[[safety.freezes]]\nfrom = 2026-12-20T00:00:00Z\nto = 2027-01-02T00:00:00Z\nreason = \"\"\n\
                [[safety.windows]]\nfrom = 02:00:00\nto = \"05:00\"";
    let config = Config::parse(text, "x").unwrap();
    assert_eq!(
        config.safety.freezes[0].to.to_string(),
        "2027-01-02T00:00:00Z"
    );
    assert_eq!(config.safety.windows[0].from.to_string(), "02:00:00");
}
