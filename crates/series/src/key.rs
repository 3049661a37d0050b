//! A series by name at the edge, by a dense number inside.

use std::fmt;
use std::str::FromStr;

use crate::{MAX_LABELS, MAX_NAME_BYTES, MAX_VALUE_BYTES};

/// A dense number that stands for a [`SeriesKey`] inside one process, and never leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);

impl SeriesId {
    /// As an index into a table with one row per series.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A metric's name and its labels, sorted by label name; no label twice, none empty.
///
/// Written and read as Prometheus does: `node_load1{host="a",job="node"}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    metric: Box<str>,
    labels: Box<[(Box<str>, Box<str>)]>,
}

/// Why a name and labels are not a series key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The metric's name is empty.
    #[error("metric name is empty")]
    EmptyMetric,
    /// A name is longer than [`MAX_NAME_BYTES`].
    #[error("name {start:?}… has {bytes} bytes, at most {MAX_NAME_BYTES} are allowed")]
    LongName {
        /// How it begins.
        start: String,
        /// Its length.
        bytes: usize,
    },
    /// A name holds a control character, a quote, a brace, `=`, `,` or a blank.
    #[error("name {name:?} holds {character:?}")]
    BadName {
        /// The name.
        name: String,
        /// The first character that is not allowed.
        character: char,
    },
    /// A label has an empty name.
    #[error("label name is empty")]
    EmptyLabel,
    /// A label is given twice.
    #[error("label {0:?} is given twice")]
    RepeatedLabel(String),
    /// A label's value is longer than [`MAX_VALUE_BYTES`].
    #[error("value of label {label:?} has {bytes} bytes, at most {MAX_VALUE_BYTES} are allowed")]
    LongValue {
        /// The label's name.
        label: String,
        /// The value's length.
        bytes: usize,
    },
    /// More than [`MAX_LABELS`] labels.
    #[error("{0} labels, at most {MAX_LABELS} are allowed")]
    ManyLabels(usize),
    /// The text form does not parse.
    #[error("at byte {at}: expected {expected}")]
    Syntax {
        /// Where, counted in bytes from 0.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
}

impl SeriesKey {
    /// A key from a name and labels in any order. Labels with an empty value are dropped, as in Prometheus.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn new<N, V>(
        metric: &str,
        labels: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, KeyError>
    where
        N: Into<Box<str>>,
        V: Into<Box<str>>,
    {
        if metric.is_empty() {
            return Err(KeyError::EmptyMetric);
        }
        check_name(metric)?;
        let mut sorted = Vec::new();
        for (name, value) in labels {
            let (name, value): (Box<str>, Box<str>) = (name.into(), value.into());
            if name.is_empty() {
                return Err(KeyError::EmptyLabel);
            }
            check_name(&name)?;
            if value.len() > MAX_VALUE_BYTES {
                return Err(KeyError::LongValue {
                    label: name.into(),
                    bytes: value.len(),
                });
            }
            if !value.is_empty() {
                sorted.push((name, value));
            }
            if sorted.len() > MAX_LABELS {
                return Err(KeyError::ManyLabels(sorted.len()));
            }
        }
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(KeyError::RepeatedLabel(pair[0].0.to_string()));
        }
        Ok(Self {
            metric: metric.into(),
            labels: sorted.into(),
        })
    }

    /// The metric's name.
    #[must_use]
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// The labels, sorted by name.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.labels.iter().map(|(name, value)| (&**name, &**value))
    }

    /// One label's value.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels
            .binary_search_by(|(n, _)| (**n).cmp(name))
            .ok()
            .map(|i| &*self.labels[i].1)
    }

    /// The same key without the labels that `drop` picks: what replicas of one thing have in common.
    #[must_use]
    pub fn without(&self, drop: impl Fn(&str) -> bool) -> Self {
        let labels = self
            .labels
            .iter()
            .filter(|(name, _)| !drop(name))
            .cloned()
            .collect();
        Self {
            metric: self.metric.clone(),
            labels,
        }
    }
}

/// Names are UTF-8, as in Prometheus 3, less what would make the text form ambiguous.
fn check_name(name: &str) -> Result<(), KeyError> {
    if name.len() > MAX_NAME_BYTES {
        return Err(KeyError::LongName {
            start: name.chars().take(24).collect(),
            bytes: name.len(),
        });
    }
    let bad = |c: &char| {
        c.is_control() || c.is_whitespace() || matches!(c, '"' | '{' | '}' | '=' | ',' | '\\')
    };
    match name.chars().find(bad) {
        Some(character) => Err(KeyError::BadName {
            name: name.to_owned(),
            character,
        }),
        None => Ok(()),
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        if self.labels.is_empty() {
            return Ok(());
        }
        for (i, (name, value)) in self.labels.iter().enumerate() {
            write!(f, "{}{name}=\"", if i == 0 { '{' } else { ',' })?;
            for c in value.chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '"' => f.write_str("\\\"")?,
                    '\n' => f.write_str("\\n")?,
                    other => write!(f, "{other}")?,
                }
            }
            f.write_str("\"")?;
        }
        f.write_str("}")
    }
}

impl FromStr for SeriesKey {
    type Err = KeyError;

    /// Reads `name` or `name{a="x",b="y"}`; a trailing comma is allowed, as in Prometheus.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let Some(brace) = text.find('{') else {
            return Self::new(text, std::iter::empty::<(Box<str>, Box<str>)>());
        };
        let (labels, rest) = parse_labels(text, brace + 1)?;
        if text.get(rest..) != Some("}") {
            return Err(KeyError::Syntax {
                at: rest,
                expected: "'}' at the end",
            });
        }
        Self::new(&text[..brace], labels)
    }
}

impl SeriesKey {
    /// A key from a name and the text between the braces, `a="x",b="y"`, which may be empty.
    ///
    /// # Errors
    /// See [`KeyError`]; positions are counted from the start of `labels`.
    pub fn from_label_text(metric: &str, labels: &str) -> Result<Self, KeyError> {
        let (labels, rest) = parse_labels_until_end(labels)?;
        debug_assert!(rest);
        Self::new(metric, labels)
    }
}

type Labels = Vec<(String, String)>;

fn parse_labels_until_end(text: &str) -> Result<(Labels, bool), KeyError> {
    let (labels, rest) = parse_labels(text, 0)?;
    if rest == text.len() {
        Ok((labels, true))
    } else {
        Err(KeyError::Syntax {
            at: rest,
            expected: "',' or the end",
        })
    }
}

/// Reads pairs from byte `at` on; returns them and where it stopped: at a `}` or at the end of the text.
fn parse_labels(text: &str, mut at: usize) -> Result<(Labels, usize), KeyError> {
    let mut labels = Vec::new();
    let skip_blanks = |at: &mut usize| {
        while text.as_bytes().get(*at) == Some(&b' ') {
            *at += 1
        }
    };
    loop {
        skip_blanks(&mut at);
        if at >= text.len() || text.as_bytes()[at] == b'}' {
            return Ok((labels, at));
        }
        let equals = text[at..].find('=').map(|i| at + i);
        let Some(equals) = equals else {
            return Err(KeyError::Syntax {
                at,
                expected: "name=\"value\"",
            });
        };
        let name = text[at..equals].trim();
        at = equals + 1;
        skip_blanks(&mut at);
        if text.as_bytes().get(at) != Some(&b'"') {
            return Err(KeyError::Syntax {
                at,
                expected: "'\"'",
            });
        }
        at += 1;
        let mut value = String::new();
        let mut chars = text[at..].char_indices();
        let end = loop {
            match chars.next() {
                None => {
                    return Err(KeyError::Syntax {
                        at: text.len(),
                        expected: "closing '\"'",
                    });
                }
                Some((i, '"')) => break at + i + 1,
                Some((i, '\\')) => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, c @ ('"' | '\\'))) => value.push(c),
                    _ => {
                        return Err(KeyError::Syntax {
                            at: at + i,
                            expected: "\\\\, \\\" or \\n",
                        });
                    }
                },
                Some((_, c)) => value.push(c),
            }
        };
        if labels.len() > MAX_LABELS {
            return Err(KeyError::ManyLabels(labels.len()));
        }
        labels.push((name.to_owned(), value));
        at = end;
        skip_blanks(&mut at);
        match text.as_bytes().get(at) {
            Some(b',') => at += 1,
            None | Some(b'}') => {}
            Some(_) => {
                return Err(KeyError::Syntax {
                    at,
                    expected: "',' or '}'",
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let got = text
            .parse::<SeriesKey>()
            .map(|key| key.to_string())
            .map_err(|e| e.to_string());
        assert_eq!(got.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn reads_what_prometheus_writes() {
        check("up", Ok("up"));
        check("up{}", Ok("up"));
        check(
            r#"up{job="node",host="a"}"#,
            Ok(r#"up{host="a",job="node"}"#),
        );
        check(
            r#"up{a="x, \"y\" = \\z\n",}"#,
            Ok(r#"up{a="x, \"y\" = \\z\n"}"#),
        );
        check(r#"up{gone=""}"#, Ok("up"));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        check("", Err("metric name is empty"));
        check("{a=\"b\"}", Err("metric name is empty"));
        check("up{a=b}", Err("at byte 5: expected '\"'"));
        check("up{a=\"b", Err("at byte 7: expected closing '\"'"));
        check("up{a=\"b\"}x", Err("at byte 8: expected '}' at the end"));
        check("up{a=\"1\",a=\"2\"}", Err("label \"a\" is given twice"));
        check("up down", Err("name \"up down\" holds ' '"));
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,60}") {
            let _ = text.parse::<SeriesKey>();
            let _ = SeriesKey::from_label_text("m", &text);
        }

        #[test]
        fn survives_a_round_trip(metric in "[a-z_:]{1,9}", labels in prop::collection::btree_map("[a-z]{1,4}", ".{1,9}", 0..5)) {
            let key = SeriesKey::new(&metric, labels).unwrap();
            prop_assert_eq!(key.to_string().parse::<SeriesKey>().unwrap(), key);
        }
    }
}
