//! `card.toml`: what a model is, where it comes from, and what its bytes must hash to.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Name, Version};

/// What a model computes, which decides who may run it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A forecaster that takes one step at a time.
    #[serde(rename = "lstm-step/1")]
    LstmStep,
    /// An isolation forest.
    #[serde(rename = "forest/1")]
    Forest,
    /// The knots of a calibrator.
    #[serde(rename = "calibrator/1")]
    Calibrator,
    /// Any other graph: the engine does not use it, the inference service runs it.
    #[serde(rename = "onnx")]
    Onnx,
}

impl Kind {
    /// As a card spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LstmStep => "lstm-step/1",
            Self::Forest => "forest/1",
            Self::Calibrator => "calibrator/1",
            Self::Onnx => "onnx",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The card of one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The model.
    pub name: Name,
    /// Which version of it.
    pub version: Version,
    /// What it computes.
    pub kind: Kind,
    /// SHA-256 of `model.onnx`, 64 hexadecimal digits.
    pub sha256: String,
    /// SHA-256 of `golden.json`.
    pub golden_sha256: String,
    /// When it was made, RFC 3339; empty when nobody said.
    #[serde(default)]
    pub created: String,
    /// Under which terms it may be handed on; an SPDX expression.
    #[serde(default)]
    pub licence: String,
    /// What goes in and comes out, where the graph does not say so itself.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub signature: toml::Table,
    /// How it was made: recipe, seed, data, command.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub training: toml::Table,
    /// How good it was found to be when it was made.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub metrics: toml::Table,
}

/// Why a text is not a card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// It does not parse.
    #[error("{0}")]
    Text(String),
    /// A checksum is not one.
    #[error("{key} is {value:?}, expected 64 hexadecimal digits in lower case")]
    Digest {
        /// Which one.
        key: &'static str,
        /// What it is.
        value: String,
    },
}

impl Card {
    /// Reads a card.
    ///
    /// # Errors
    /// [`CardError`], with the line where that is known.
    pub fn parse(bytes: &[u8]) -> Result<Self, CardError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|e| CardError::Text(format!("not UTF-8 after byte {}", e.valid_up_to())))?;
        let card: Self = toml::from_str(text).map_err(|e| CardError::Text(placed(text, &e)))?;
        for (key, value) in [
            ("sha256", &card.sha256),
            ("golden_sha256", &card.golden_sha256),
        ] {
            let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            if value.len() != 64 || !value.bytes().all(is_hex) {
                return Err(CardError::Digest {
                    key,
                    value: value.chars().take(80).collect(),
                });
            }
        }
        Ok(card)
    }

    /// As text; what [`Card::parse`] reads back as the same card.
    ///
    /// # Errors
    /// [`CardError::Text`] when a table holds what TOML cannot write.
    pub fn to_text(&self) -> Result<String, CardError> {
        toml::to_string(self).map_err(|e| CardError::Text(e.to_string()))
    }
}

/// The first line of what TOML says, after the line that it is about.
fn placed(text: &str, error: &toml::de::Error) -> String {
    let message: Vec<&str> = error.message().split_whitespace().collect();
    let message = message.join(" ");
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or(text);
            format!("line {}: {message}", before.matches('\n').count() + 1)
        }
        None => message,
    }
}

/// SHA-256 of `bytes`, 64 hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
