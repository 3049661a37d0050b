//! What goes into a step model and comes out, from the graph's notes and from the card beside it.

use graph::Metadata;
use predict::forecast::{Horizons, Signature, SignatureError};
use serde::{Deserialize, Serialize};

/// The name of the one signature there is.
const NAME: &str = "lstm-step/1";

/// The section `[signature]` of a card: what a graph without notes, as PyTorch exports it, cannot say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignatureCard {
    /// Hash of the feature schema, `0x` and 16 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_hash: Option<String>,
    /// Names of the inputs in order, as a list or with commas between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<OneOrMany<String>>,
    /// Steps that are forecast, as a list or as text with commas between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizons: Option<OneOrMany<u32>>,
    /// Where inputs are softened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_limit: Option<Number>,
}

/// A list, or a text with commas between.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// With commas.
    Text(String),
    /// One by one.
    List(Vec<T>),
}

/// A number, or a text that is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// As such.
    Plain(f64),
    /// In quotes.
    Text(String),
}

impl<T: ToString> OneOrMany<T> {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(list) => list.iter().map(T::to_string).collect::<Vec<_>>().join(","),
        }
    }
}

impl Number {
    fn text(&self) -> String {
        match self {
            Self::Plain(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Why there is no signature.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CardError {
    /// Neither says it.
    #[error(
        "neither the graph's metadata (forestall.{key}) nor the card's section [signature] ({key}) says it; for a \
         model from elsewhere, write it into the card"
    )]
    Missing {
        /// What.
        key: &'static str,
    },
    /// Both say it, differently.
    #[error("{key} is {graph:?} in the graph's metadata, but {card:?} in the card")]
    Contradiction {
        /// What.
        key: &'static str,
        /// In the graph.
        graph: String,
        /// In the card.
        card: String,
    },
    /// It is not what it should be.
    #[error("{key} is {value:?}, expected {expected}")]
    Value {
        /// What.
        key: &'static str,
        /// What it is.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// It is, but makes no sense here.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// The signature of a step model with `hidden` numbers of state: from the graph's metadata, and from the card where that
/// is silent.
///
/// # Errors
/// [`CardError`] when neither says it, both say different things, or the schema is another one.
pub fn signature(
    metadata: &Metadata,
    card: Option<&SignatureCard>,
    hidden: usize,
) -> Result<Signature, CardError> {
    let note = |key: &str| metadata.get(&format!("forestall.{key}")).cloned();
    if let Some(name) = note("signature").filter(|name| name != NAME) {
        return Err(CardError::Value {
            key: "signature",
            value: name,
            expected: NAME,
        });
    }
    let on_card = |read: &dyn Fn(&SignatureCard) -> Option<String>| card.and_then(read);
    // Numbers are compared as numbers: 4 is 4.0.
    let schema = one_of(
        "schema_hash",
        note("schema_hash"),
        on_card(&|card| card.schema_hash.clone()),
        "0x and 16 hexadecimal digits",
        |text| {
            let digits = text.strip_prefix("0x").unwrap_or(text);
            let hexadecimal = digits.len() <= 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            hexadecimal.then(|| u64::from_str_radix(digits, 16).ok())?
        },
    )?;
    let inputs: Vec<String> = one_of(
        "inputs",
        note("inputs"),
        on_card(&|card| card.inputs.as_ref().map(OneOrMany::text)),
        "names of features with commas between",
        |text| Some(text.split(',').map(|name| name.trim().to_owned()).collect()),
    )?;
    let horizons: Horizons = one_of(
        "horizons",
        note("horizons"),
        on_card(&|card| card.horizons.as_ref().map(OneOrMany::text)),
        "whole numbers with commas between",
        |text| text.split(',').map(|n| n.trim().parse().ok()).collect(),
    )?;
    let soft_limit: f32 = one_of(
        "soft_limit",
        note("soft_limit"),
        on_card(&|card| card.soft_limit.as_ref().map(Number::text)),
        "a number",
        |text| text.trim().parse().ok(),
    )?;
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    Ok(Signature::new(
        schema, &inputs, hidden, horizons, soft_limit,
    )?)
}

/// What both say, or one of them.
fn one_of<T: PartialEq>(
    key: &'static str,
    graph: Option<String>,
    card: Option<String>,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, CardError> {
    let read = |value: String| {
        parse(&value).ok_or(CardError::Value {
            key,
            value: value.chars().take(200).collect(),
            expected,
        })
    };
    match (graph, card) {
        (None, None) => Err(CardError::Missing { key }),
        (Some(value), None) | (None, Some(value)) => read(value),
        (Some(graph), Some(card)) => {
            let value = read(graph.clone())?;
            if value != read(card.clone())? {
                return Err(CardError::Contradiction { key, graph, card });
            }
            Ok(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        let hash = format!("{:#018x}", features::schema_hash());
        [
            ("signature", NAME),
            ("schema_hash", &hash),
            ("inputs", "level,gap"),
            ("horizons", "1,2,4"),
            ("soft_limit", "4"),
        ]
        .map(|(key, value)| (format!("forestall.{key}"), value.to_owned()))
        .into()
    }

    fn card(text: &str) -> SignatureCard {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn either_may_say_it_and_both_must_agree() {
        let of_graph = signature(&metadata(), None, 8).unwrap();
        assert_eq!(of_graph.horizons(), [1, 2, 4]);
        let hash = format!("{:#018x}", features::schema_hash());
        let whole = card(&format!(
            r#"{{"schema_hash":"{hash}","inputs":["level","gap"],"horizons":[1,2,4],"soft_limit":4.0}}"#
        ));
        let of_card = signature(&Metadata::new(), Some(&whole), 8).unwrap();
        assert_eq!(of_card, of_graph);
        assert_eq!(signature(&metadata(), Some(&whole), 8).unwrap(), of_graph);
        let other = card(r#"{"horizons":"1,2"}"#);
        let error = signature(&metadata(), Some(&other), 8).unwrap_err();
        assert_eq!(
            error.to_string(),
            "horizons is \"1,2,4\" in the graph's metadata, but \"1,2\" in the card"
        );
    }

    #[test]
    fn what_is_missing_or_senseless_is_named() {
        let with = |key: &str, value: &str| {
            let mut metadata = metadata();
            metadata.insert(format!("forestall.{key}"), value.to_owned());
            signature(&metadata, None, 8).unwrap_err().to_string()
        };
        assert!(with("schema_hash", "0x1").contains("0x0000000000000001"));
        assert!(with("schema_hash", "+1").contains("hexadecimal"));
        assert!(with("signature", "lstm/2").contains("lstm/2"));
        assert!(with("inputs", "levle").contains("levle"));
        assert!(with("horizons", "1,x").contains("1,x"));
        assert!(with("soft_limit", "NaN").contains("NaN"));
        let error = signature(&Metadata::new(), None, 8).unwrap_err();
        assert_eq!(error, CardError::Missing { key: "schema_hash" });
    }
}
