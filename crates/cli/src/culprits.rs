//! The processes that are behind a risk, as text.

use proto::v1::Culprit;
use series::Unit;

use crate::numbers::human;
use crate::wire;

/// `stress-ng (pid 4242) +98 %`: who, and by how much its use changed.
pub(crate) fn one(culprit: &Culprit) -> String {
    let unit = unit(culprit);
    let sign = if culprit.increase > 0.0 { "+" } else { "" };
    format!(
        "{} {sign}{}",
        process(culprit),
        human(rounded(culprit.increase, unit), unit)
    )
}

/// As [`one`], with what it uses now and its part of the change of all.
pub(crate) fn in_full(culprit: &Culprit) -> String {
    let unit = unit(culprit);
    let now = human(rounded(culprit.value, unit), unit);
    let share = f64::from(culprit.share) * 100.0;
    format!("{} to {now}, {share:.0} % of the change", one(culprit))
}

/// `stress-ng (pid 4242)`.
fn process(culprit: &Culprit) -> String {
    let label = |name: &str| culprit.series.as_ref()?.labels.get(name);
    match (label("comm"), label("pid")) {
        (Some(comm), Some(pid)) => format!("{comm} (pid {pid})"),
        _ => wire::text(culprit.series.as_ref()),
    }
}

fn unit(culprit: &Culprit) -> Unit {
    let key = culprit.series.as_ref();
    key.map_or(Unit::None, |key| Unit::of_metric(&key.metric))
}

/// A tenth of a percent of a processor is noise.
fn rounded(value: f64, unit: Unit) -> f64 {
    if unit == Unit::Ratio {
        (value * 100.0).round() / 100.0
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_named_with_its_change() {
        let culprit = |series: &str, value, increase| Culprit {
            series: Some(wire::key(series).unwrap()),
            value,
            increase,
            share: 0.9,
        };
        let hog = culprit(
            r#"process_cpu_ratio{comm="stress-ng",pid="4242"}"#,
            0.9931,
            0.9831,
        );
        assert_eq!(one(&hog), "stress-ng (pid 4242) +98 %");
        assert_eq!(
            in_full(&hog),
            "stress-ng (pid 4242) +98 % to 99 %, 90 % of the change"
        );
        let freed = culprit(
            r#"process_resident_memory_bytes{comm="python3",pid="9"}"#,
            0.0,
            -2_147_483_648.0,
        );
        assert_eq!(one(&freed), "python3 (pid 9) -2 GiB");
    }
}
