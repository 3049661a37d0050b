//! What training leaves behind: a model, its card, and golden inputs and outputs, in a folder of their own.

use std::fs;
use std::path::{Path, PathBuf};

use graph::Metadata;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// How near a runtime must come to the golden outputs, absolutely or relatively.
pub const GOLDEN_TOLERANCE: f64 = 1e-5;

/// A model that is not on disk yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The bytes of `model.onnx`.
    pub model: Vec<u8>,
    /// `card.toml`, but for the checksums.
    pub card: CardText,
    /// `golden.json`.
    pub golden: Golden,
}

/// `card.toml`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardText {
    /// The model.
    pub name: String,
    /// Given when it is installed; 1 until then.
    pub version: u32,
    /// What it computes.
    pub kind: &'static str,
    /// Of `model.onnx`.
    pub sha256: String,
    /// Of `golden.json`.
    pub golden_sha256: String,
    /// RFC 3339.
    pub created: String,
    /// SPDX expression.
    pub licence: String,
    /// What goes in and comes out.
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    pub signature: toml::Table,
    /// How it was made.
    pub training: toml::Table,
    /// How good it is.
    pub metrics: toml::Table,
}

/// Steps with what went in and what came out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Golden {
    steps: Vec<Value>,
}

/// A named tensor: shape, and its numbers row by row.
pub type Tensor<'a> = (&'a str, [usize; 2], Vec<f32>);

impl Golden {
    /// Adds a step.
    pub fn step(&mut self, inputs: &[Tensor<'_>], outputs: &[Tensor<'_>]) {
        let tensors = |all: &[Tensor<'_>]| {
            let one = |(name, shape, data): &Tensor<'_>| {
                let tensor = json!({ "shape": shape, "dtype": "f32", "data": data });
                ((*name).to_owned(), tensor)
            };
            Value::Object(all.iter().map(one).collect::<Map<String, Value>>())
        };
        self.steps
            .push(json!({ "inputs": tensors(inputs), "outputs": tensors(outputs) }));
    }

    /// As JSON.
    pub(crate) fn text(&self) -> String {
        json!({ "steps": self.steps, "tolerance": GOLDEN_TOLERANCE }).to_string()
    }
}

/// Why a bundle was not written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file fails.
    #[error("writing {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The card cannot be written as TOML.
    #[error("writing the card")]
    Card(#[from] toml::ser::Error),
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Bundle {
    /// Writes the three files into `dir`, which is made if need be; the card last, so that a bundle with a card is whole.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn write(&self, dir: &Path) -> Result<(), BundleError> {
        let write = |name: &str, bytes: &[u8]| {
            let path = dir.join(name);
            let beside = dir.join(format!(".{name}.tmp"));
            fs::write(&beside, bytes)
                .and_then(|()| fs::rename(&beside, &path))
                .map_err(|source| BundleError::Io { path, source })
        };
        fs::create_dir_all(dir).map_err(|source| BundleError::Io {
            path: dir.to_owned(),
            source,
        })?;
        let golden = self.golden.text();
        let card = CardText {
            sha256: sha256_hex(&self.model),
            golden_sha256: sha256_hex(golden.as_bytes()),
            ..self.card.clone()
        };
        let card = toml::to_string(&card)?;
        write("model.onnx", &self.model)?;
        write("golden.json", golden.as_bytes())?;
        write("card.toml", card.as_bytes())
    }
}

/// Metadata that every model of ours carries.
pub(crate) fn metadata(signature: &str, seed: u64, data_sha256: &str) -> Metadata {
    [
        ("forestall.signature", signature.to_owned()),
        (
            "forestall.schema_hash",
            format!("{:#018x}", features::schema_hash()),
        ),
        ("forestall.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("forestall.seed", seed.to_string()),
        ("forestall.data_sha256", data_sha256.to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}
