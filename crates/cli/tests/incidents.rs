//! `forestall eval incidents` as a person meets it.

#[expect(dead_code, reason = "each test file uses its part of it")]
mod run;

use std::fs;
use std::path::Path;

use run::forestall;

/// A certificate that a machine may renew.
const EXPIRING: &str = r#"
about = "Five days are left."
sort = "plain"
duration_s = 600

[[topology.certificates]]
name = "shop.example:443"
attributes = { renewal = "acme" }

[[certificates]]
name = "shop.example:443"
days_left = 5
validity_days = 90

[[expect]]
class = "certificate_expiry"
entity = "certificate/shop.example:443"
from_s = 0
within_s = 300
best = ["renew_certificate"]
because = "a machine may renew it"
"#;

/// One that has time.
const QUIET: &str = r#"
about = "Fifty days are left."
sort = "quiet"
duration_s = 600

[[certificates]]
name = "blog.example:443"
days_left = 50
validity_days = 90
"#;

fn scenarios(dir: &Path) -> String {
    fs::write(dir.join("expiring.toml"), EXPIRING).expect("written");
    fs::write(dir.join("quiet.toml"), QUIET).expect("written");
    dir.to_string_lossy().into_owned()
}

#[test]
fn figures_of_two_scenarios() {
    let dir = tempfile::tempdir().unwrap();
    let data = scenarios(dir.path());
    let json = dir.path().join("figures.json");
    let json = json.to_str().unwrap();
    let run = forestall(&["eval", "incidents", "--data", &data, "--json", json]).succeeds();
    assert!(
        run.out
            .contains("2 scenarios: 1 plain, 0 overlapping, 0 misleading, 1 quiet"),
        "{}",
        run.out
    );
    assert!(
        run.out.contains("No wrong action.") && run.err.contains("of 2 scenarios"),
        "{}",
        run.out
    );
    let read = || fs::read_to_string(json).unwrap();
    let first = read();
    let figures: serde_json::Value = serde_json::from_str(&first).unwrap();
    let card = &figures["incidents"][0];
    assert_eq!(
        (card["name"].as_str(), card["part"].as_str()),
        (Some("forestall"), Some("all"))
    );
    for (figure, value) in [
        ("macro_f1", 1.0),
        ("top_1", 1.0),
        ("top_3", 1.0),
        ("quiet", 1.0),
        ("wrong", 0.0),
    ] {
        let told = card[figure]["value"].as_f64().unwrap();
        assert!((told - value).abs() < 1e-12, "{figure}: {told}");
    }
    // The same again, to the last digit.
    forestall(&["eval", "incidents", "--data", &data, "--json", json]).succeeds();
    assert_eq!(read(), first);
}

#[test]
fn the_story_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = scenarios(dir.path());
    let run = forestall(&["eval", "incidents", "--data", &data, "--show", "expiring"]).succeeds();
    for text in [
        "Five days are left.",
        "best: renew_certificate",
        "ask: renew_certificate",
        "+ notify_owner",
        "- order_certificate",
    ] {
        assert!(run.out.contains(text), "{text}: {}", run.out);
    }
    let run = forestall(&["eval", "incidents", "--data", &data, "--show", "expired"]).fails(1);
    assert!(
        run.err.contains("no scenario is called \"expired\"")
            && run.err.contains("there are expiring, quiet")
    );
}

#[test]
fn a_file_that_makes_no_sense_is_named_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let data = scenarios(dir.path());
    let path = dir.path().join("bad.toml");
    for (from, to, told) in [
        ("days_left", "days_lost", "line 12"),
        (
            "renew_certificate",
            "renew_certificates",
            "bad.toml: expect[0].best: there is no strategy \"renew_certificates\"",
        ),
        (
            "entity = \"certificate/shop",
            "entity = \"certificate/shoq",
            "bad.toml: expect[0].entity: nothing here is called",
        ),
    ] {
        fs::write(&path, EXPIRING.replace(from, to)).unwrap();
        let run = forestall(&["eval", "incidents", "--data", &data]).fails(1);
        assert!(run.err.contains(told), "{}", run.err);
    }
    let empty = tempfile::tempdir().unwrap();
    let run = forestall(&[
        "eval",
        "incidents",
        "--data",
        &empty.path().to_string_lossy(),
    ])
    .fails(1);
    assert!(
        run.err.contains("no scenario is in") && run.err.contains("--data DIR"),
        "{}",
        run.err
    );
}
