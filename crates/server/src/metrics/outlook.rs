//! What is counted of the lookout, and what runs out within a day.

use predict::exhaustion::FAMILIES;

use super::text::{Kind, Text};
use crate::lookout::{Outlooks, Row};

/// Resources whose times are on the page: the soonest. A page must not grow with what is watched.
const MAX_SHOWN: usize = 100;

/// The families of the lookout.
pub(super) fn write(text: &mut Text, outlooks: &Outlooks) {
    let rows = outlooks.rows();
    resources(text, &rows);
    let tally = outlooks.tally();
    for (name, help, value) in [
        (
            "forestall_outlook_refreshed_total",
            "Outlooks that were made.",
            tally.n_refreshed() as f64,
        ),
        (
            "forestall_outlook_refresh_seconds_total",
            "What making them took.",
            tally.refresh_s(),
        ),
        (
            "forestall_outlook_samples_dropped_total",
            "Samples that were left out because the lookout was behind.",
            outlooks.n_dropped() as f64,
        ),
        (
            "forestall_outlook_watch_dropped_total",
            "Outlooks that slow readers of WatchOutlooks did not get.",
            outlooks.n_watch_dropped() as f64,
        ),
        (
            "forestall_outlook_panics_total",
            "Panics caught in the lookout; above 0 is a bug to report.",
            tally.n_panics() as f64,
        ),
    ] {
        text.single(name, Kind::Counter, help, value);
    }
    text.single(
        "forestall_outlook_watchers",
        Kind::Gauge,
        "Readers of WatchOutlooks.",
        outlooks.n_watchers() as f64,
    );
    times(text, rows);
}

/// How many there are, by family and by whether their limit is known.
fn resources(text: &mut Text, rows: &[Row]) {
    let name = "forestall_outlook_resources";
    let help = "Resources that are watched, by family and by whether their limit is known.";
    text.family(name, Kind::Gauge, help);
    for family in FAMILIES {
        let of_family = || rows.iter().filter(|row| row.family == family);
        let missing = of_family().filter(|row| row.missing.is_some()).count();
        let family = family.name();
        for (limit, n) in [
            ("known", of_family().count() - missing),
            ("missing", missing),
        ] {
            text.sample(name, &[("family", family), ("limit", limit)], n as f64);
        }
    }
}

/// When what is foreseen within a day runs out, soonest first.
fn times(text: &mut Text, rows: Vec<Row>) {
    let mut soonest: Vec<(f64, Row)> = rows
        .into_iter()
        .filter_map(|row| Some((row.forecast()?.outlook.ttf_s[1], row)))
        .filter(|(s, _)| s.is_finite())
        .collect();
    soonest.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    soonest.truncate(MAX_SHOWN);
    let name = "forestall_outlook_exhaustion_seconds";
    let help = "Time to exhaustion of the resources whose median is within a day; the soonest 100.";
    text.family(name, Kind::Gauge, help);
    for (_, row) in &soonest {
        let (Some(said), resource) = (row.forecast(), row.key.to_string()) else {
            continue;
        };
        for (quantile, s) in ["0.05", "0.5", "0.95"].into_iter().zip(said.outlook.ttf_s) {
            let labels = [
                ("family", row.family.name()),
                ("resource", resource.as_str()),
                ("quantile", quantile),
            ];
            text.sample(name, &labels, s);
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::lookout::tests::{row, said};

    fn numbers(write: impl FnOnce(&mut Text)) -> Vec<String> {
        let mut text = Text::default();
        write(&mut text);
        let page = text.finish();
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn the_soonest_stand_first_and_what_is_not_foreseen_is_left_out() {
        let mut soon = said(0, 1.0, 0.5);
        soon.outlook.ttf_s = [60.0, 120.0, f64::INFINITY];
        let mut later = said(0, 1.0, 0.5);
        later.outlook.ttf_s = [600.0, 1_200.0, 1_800.0];
        let rows = [
            row(None, Some(later)),
            row(None, Some(said(0, 1.0, 0.0))),
            row(Some("a limit"), Some(said(0, 1.0, 0.9))),
            row(None, Some(soon)),
        ];
        let lines = numbers(|text| times(text, rows.to_vec()));
        expect![[r#"
            forestall_outlook_exhaustion_seconds{family="memory",resource="used{n=\"0\"}",quantile="0.05"} 60
            forestall_outlook_exhaustion_seconds{family="memory",resource="used{n=\"0\"}",quantile="0.5"} 120
            forestall_outlook_exhaustion_seconds{family="memory",resource="used{n=\"0\"}",quantile="0.95"} +Inf
            forestall_outlook_exhaustion_seconds{family="memory",resource="used{n=\"0\"}",quantile="0.05"} 600
            forestall_outlook_exhaustion_seconds{family="memory",resource="used{n=\"0\"}",quantile="0.5"} 1200
            forestall_outlook_exhaustion_seconds{family="memory",resource="used{n=\"0\"}",quantile="0.95"} 1800"#]]
        .assert_eq(&lines.join("\n"));
        let counts = numbers(|text| resources(text, &rows));
        assert_eq!(
            counts[..2],
            [
                "forestall_outlook_resources{family=\"memory\",limit=\"known\"} 3",
                "forestall_outlook_resources{family=\"memory\",limit=\"missing\"} 1"
            ]
        );
    }

    #[test]
    fn the_page_is_bounded() {
        let mut soon = said(0, 1.0, 0.5);
        soon.outlook.ttf_s = [60.0, 120.0, 180.0];
        let rows = vec![row(None, Some(soon)); 150];
        assert_eq!(numbers(|text| times(text, rows)).len(), 3 * MAX_SHOWN);
    }
}
