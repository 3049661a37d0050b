//! Files that make no sense are refused, with the place.

use remedy::Class;

use super::*;

const GOOD: &str = r#"
about = "It leaks."
sort = "plain"
duration_s = 3600

[[series]]
metric = "process_open_fds"
labels = { instance = "api-1:8080" }
shape = [{ constant = 10 }, { line = { per_hour = 100 } }]

[[expect]]
class = "process_crash"
entity = "instance/api-1:8080"
from_s = 60
within_s = 1800
best = ["restart_rolling"]
wrong = ["fail_over"]
because = "it leaks"
"#;

fn refused(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    Named::parse("x", &GOOD.replace(from, to)).unwrap_err()
}

#[test]
fn a_scenario_is_read() {
    let named = Named::parse("x", GOOD).unwrap();
    let incident = named.incident();
    assert_eq!(incident.expected[0].entities, ["instance/api-1:8080"]);
    assert!((incident.expected[0].by_s - 1860.0).abs() < 1e-9);
    assert!(!incident.expected[0].abstain);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    for (from, to, told) in [
        ("about =", "abuot =", "line 2"),
        ("constant = 10", "konstant = 10", "line 9"),
        ("\"process_crash\"", "\"process_crush\"", "line 12"),
        ("\"It leaks.\"", "\"\"", "about: it is empty"),
        ("3600", "10", "duration_s: 10 is not between"),
        ("\"plain\"", "\"quiet\"", "expect: nothing is expected"),
        (
            "\"restart_rolling\"",
            "\"restart_roling\"",
            "expect[0].best: there is no strategy",
        ),
        (
            "\"restart_rolling\"",
            "\"renew_certificate\"",
            "expect[0].best: renew_certificate is for no issue",
        ),
        (
            "\"fail_over\"",
            "\"restart_rolling\"",
            "expect[0].wrong: restart_rolling is in `best`",
        ),
        (
            "best = [\"restart_rolling\"]",
            "",
            "expect[0].best: it names no strategy",
        ),
        ("\"it leaks\"", "\" \"", "expect[0].because"),
        ("from_s = 60", "from_s = 3600", "expect[0].from_s"),
        (
            "instance/api-1:8080",
            "instance/api-2:8080",
            "expect[0].entity: nothing here is called",
        ),
        ("instance/api-1:8080", "thing/x", "line 13"),
        (
            "{ constant = 10 }",
            "{ saw = { period_s = 0, by = 1 } }",
            "series[0]: period_s",
        ),
        ("\"process_open_fds\"", "\"\"", "series[0]"),
    ] {
        let error = refused(from, to);
        assert!(error.contains(told), "{from} -> {to}: {error}");
    }
    let without = GOOD.split("[[expect]]").next().unwrap();
    let error = Named::parse("x", without).unwrap_err();
    assert!(error.contains("there is no label"), "{error}");
}

#[test]
fn labels_with_several_values_make_several_series() {
    let labels = BTreeMap::from([("job".to_owned(), "api".to_owned())]);
    let two = |name: &str| (name.to_owned(), vec!["a".to_owned(), "b".to_owned()]);
    let each = BTreeMap::from([two("pod"), two("zone")]);
    let keys = keys("up", &labels, &each).unwrap();
    assert_eq!(keys.len(), 4);
    assert_eq!(keys[1].to_string(), r#"up{job="api",pod="a",zone="b"}"#);
}

/// The scenarios of the repository.
fn committed() -> Vec<Named> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/incidents");
    read_all(&dir).unwrap()
}

#[test]
fn there_are_enough_of_each_sort_and_class() {
    let all = committed();
    let of = |sort: Sort| {
        all.iter()
            .filter(|named| named.scenario.sort == sort)
            .count()
    };
    let n_labelled = all
        .iter()
        .filter(|named| !named.scenario.expect.is_empty())
        .count();
    assert!(n_labelled >= 66, "{n_labelled}");
    assert!(of(Sort::Overlapping) >= 12 && of(Sort::Misleading) >= 10 && of(Sort::Quiet) >= 14);
    for class in Class::ALL {
        let labels = all.iter().flat_map(|named| &named.scenario.expect);
        let n = labels
            .filter(|label| label.class == class && !label.optional)
            .count();
        assert!(n >= 6, "{n} of {}", class.name());
    }
    // About a third is put aside.
    let n_aside = all.iter().filter(|named| named.is_held_out()).count();
    assert!(
        (0.25..0.45).contains(&(n_aside as f64 / all.len() as f64)),
        "{n_aside}"
    );
}

/// Pinned, so that no scenario moves from one part to the other: a name that changes changes its part.
#[test]
fn what_is_held_out_stays_so() {
    let held_out = |name: &str| seed(name).is_multiple_of(3);
    assert!(held_out("certificate-by-exporter") && !held_out("memory-leak-slow"));
}
