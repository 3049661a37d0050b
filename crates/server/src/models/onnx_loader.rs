//! The loader of the engine: graphs are checked, tried by the guard, and run by whatever runtime there is.

use std::sync::Arc;

use onnx::{Golden, Options, SignatureCard};
use predict::forecast::Model;
use store::models::Bundle;

use super::loader::{Cause, Loader};

/// Loads ONNX graphs.
#[derive(Debug, Clone, Default)]
pub struct Onnx {
    /// How.
    pub options: Options,
}

impl Loader for Onnx {
    fn step(&self, bundle: &Bundle, version: &str) -> Result<Arc<dyn Model>, Cause> {
        let table = &bundle.card.signature;
        let card: Option<SignatureCard> = match table.is_empty() {
            true => None,
            false => Some(table.clone().try_into().map_err(|e: toml::de::Error| {
                format!("card.toml, [signature]: {}", e.message())
            })?),
        };
        Ok(onnx::step_model(
            &bundle.model,
            card.as_ref(),
            version,
            &self.options,
        )?)
    }

    fn run(&self, bundle: &Bundle, golden: &Golden) -> Result<(), Cause> {
        let graph = onnx::load(&bundle.model, &self.options)?;
        Ok(golden.verify(&graph)?)
    }
}
