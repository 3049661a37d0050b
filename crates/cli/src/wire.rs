//! Series between text and wire.

use anyhow::Context;
use proto::v1;
use series::SeriesKey;

/// As Prometheus writes it. What breaks the rules of names is shown as it came: it is only for eyes.
pub(crate) fn text(key: Option<&v1::SeriesKey>) -> String {
    let Some(key) = key else { return String::new() };
    match SeriesKey::new(
        &key.metric,
        key.labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    ) {
        Ok(key) => key.to_string(),
        Err(_) => format!("{}{:?}", key.metric, key.labels),
    }
}

/// From text such as `node_load1{host="a"}`.
///
/// # Errors
/// When it is no series; says where.
pub(crate) fn key(text: &str) -> anyhow::Result<v1::SeriesKey> {
    let key: SeriesKey = text
        .parse()
        .with_context(|| format!("{text:?} is not a series"))?;
    Ok(of(&key))
}

/// For the wire.
pub(crate) fn of(key: &SeriesKey) -> v1::SeriesKey {
    let labels = key
        .labels()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    v1::SeriesKey {
        metric: key.metric().to_owned(),
        labels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_the_wire() {
        let written = r#"up{host="a",job="x \"y\""}"#;
        assert_eq!(text(Some(&key(written).unwrap())), written);
        assert_eq!(text(None), "");
        assert!(
            crate::hint::message(&key("up{").unwrap_err())
                .starts_with("\"up{\" is not a series: at byte")
        );
    }
}
