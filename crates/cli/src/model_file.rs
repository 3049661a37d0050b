//! A forecasting model from a file that a person names.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use onnx::SignatureCard;
use predict::forecast::Model;
use serde::Deserialize;

/// What of a card matters here.
#[derive(Debug, Default, Deserialize)]
struct Card {
    #[serde(default)]
    signature: Option<SignatureCard>,
}

/// The model of a bundle's folder, or of an ONNX file; a `card.toml` beside it may hold its signature.
///
/// # Errors
/// When a file cannot be read, or is no forecasting model.
pub(crate) fn step_model(path: &Path) -> anyhow::Result<Arc<dyn Model>> {
    let file = match path.is_dir() {
        true => path.join("model.onnx"),
        false => path.to_owned(),
    };
    let bytes = std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
    let card = file.with_file_name("card.toml");
    let card: Card = match std::fs::read_to_string(&card) {
        Ok(text) => toml::from_str(&text).with_context(|| format!("reading {}", card.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Card::default(),
        Err(error) => return Err(error).with_context(|| format!("reading {}", card.display())),
    };
    let version = format!("file/{}", file.display());
    let options = onnx::Options::default();
    onnx::step_model(&bytes, card.signature.as_ref(), &version, &options)
        .with_context(|| format!("loading {}", file.display()))
}
