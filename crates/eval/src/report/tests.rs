//! The tables on a small made-up corpus, where the right figures are known.

use ::series::Timestamp;

use super::{calibration, labelled, nab};
use crate::column::Column;
use crate::datasets::Series;

/// Four series of 4,000 rows a minute apart, one anomaly of 100 rows each that no blind alert meets, probation 600.
fn corpus() -> Vec<Series> {
    (0..4)
        .map(|k| {
            let window = 1_030 + 500 * k..1_130 + 500 * k;
            Series {
                name: format!("made/{k}.csv"),
                times: (0..4_000)
                    .map(|i| Timestamp::from_micros(i * 60_000_000))
                    .collect(),
                columns: vec![(0..4_000).map(|i| f64::from(i % 60)).collect()],
                labels: (0..4_000).map(|i| window.contains(&i)).collect(),
                windows: std::iter::once(window).collect(),
                probation: 600,
            }
        })
        .collect()
}

fn column(name: &str, corpus: &[Series], score: impl Fn(bool) -> f64) -> Column {
    let scores = corpus
        .iter()
        .map(|s| s.labels.iter().map(|l| score(*l)).collect())
        .collect();
    Column {
        name: name.to_owned(),
        scores,
        threshold: Some(0.5),
    }
}

#[test]
fn a_perfect_score_is_perfect_and_floors_are_not() {
    let corpus = corpus();
    let perfect = [column(
        "perfect",
        &corpus,
        |odd| if odd { 1.0 } else { 0.0 },
    )];

    let table = nab(&corpus, &perfect).expect("lengths fit");
    assert_eq!((table.rows.len(), table.n_windows), (4, 4));
    for (row, limit) in table.rows.iter().zip([100.0, 1.0, 1.0, 1.0]) {
        for cell in &row.cells {
            assert!(
                cell.score.value <= limit + 1e-9,
                "{}: {:?}",
                row.name,
                cell.score
            );
        }
    }
    let best = &table.rows[0].cells[0];
    assert!((best.score.value - 100.0).abs() < 1e-9 && (best.threshold - 1.0).abs() < 1e-12);

    let table = labelled("made", &corpus, &perfect).expect("lengths fit");
    let row = &table.rows[0];
    assert!(
        row.vus_pr.value > 0.9 && (row.f1.value - 1.0).abs() < 1e-12,
        "{row:?}"
    );
    assert!((row.recall.value - 1.0).abs() < 1e-12);
    for floor in &table.rows[1..] {
        assert!(
            floor.vus_pr.value < 0.1 && floor.f1.value < 0.5,
            "{}: {:?}",
            floor.name,
            floor.f1
        );
    }

    let table = calibration("made", &corpus, &perfect).expect("lengths fit");
    let row = &table.rows[0];
    assert!(row.levels.iter().all(|l| l.high_ratio.abs() < 1e-12));
    assert!(
        row.false_events_per_week
            .is_some_and(|m| m.value.abs() < 1e-12)
    );
}

#[test]
fn tables_are_aligned_and_serialise() {
    let corpus = corpus();
    let columns = [column("x", &corpus, |_| 0.25)];
    let nab = nab(&corpus, &columns).expect("lengths fit");
    let labelled = labelled("made", &corpus, &columns).expect("lengths fit");
    let calibration = calibration("made", &corpus, &columns).expect("lengths fit");
    for text in [
        nab.to_string(),
        labelled.to_string(),
        calibration.to_string(),
    ] {
        let widths: Vec<usize> = text.lines().skip(1).map(|l| l.chars().count()).collect();
        assert!(
            widths.len() > 1 && widths.iter().all(|w| *w == widths[0]),
            "{text}"
        );
    }
    let json = serde_json::to_value(&nab).expect("plain data");
    assert_eq!(json["rows"][0]["cells"][0]["profile"], "standard");
    assert!(
        json["rows"][0]["cells"][0]["threshold"].is_null(),
        "infinite: silence is best"
    );
    assert!(serde_json::to_value(&labelled).is_ok() && serde_json::to_value(&calibration).is_ok());
}

#[test]
fn a_column_that_does_not_fit_is_refused() {
    let corpus = corpus();
    let mut short = column("x", &corpus, |_| 0.0);
    short.scores[2].pop();
    let message = labelled("made", &corpus, &[short])
        .expect_err("a row is missing")
        .to_string();
    assert_eq!(
        message,
        "x gives 3999 scores for the 4000 rows of made/2.csv"
    );
}
