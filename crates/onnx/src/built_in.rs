//! The model that the binary brings along.

use std::sync::{Arc, OnceLock};

use graph::Limits;
use predict::forecast::Model;

use crate::card::signature;
use crate::load::LoadError;
use crate::step::kernel;

/// The files of a bundle that is part of the binary.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Name of the model.
    pub name: &'static str,
    /// Its version in the folder `models`.
    pub version: u32,
    /// `model.onnx`.
    pub model: &'static [u8],
    /// `card.toml`.
    pub card: &'static str,
    /// `golden.json`.
    pub golden: &'static [u8],
}

/// What forecasts until another model is promoted.
pub const FORECASTER: BuiltIn = BuiltIn {
    name: "lstm",
    version: 1,
    model: include_bytes!("../../../models/lstm/1/model.onnx"),
    card: include_str!("../../../models/lstm/1/card.toml"),
    golden: include_bytes!("../../../models/lstm/1/golden.json"),
};

/// [`FORECASTER`] on our own kernel, which needs no runtime. Made once.
///
/// # Errors
/// [`LoadError`] when the bundle was made for other features, which a test rules out.
pub fn default_step_model() -> Result<Arc<dyn Model>, LoadError> {
    static MADE: OnceLock<Arc<dyn Model>> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(Arc::clone(made));
    }
    let checked = graph::check(FORECASTER.model, &Limits::default())?;
    let unfit = || LoadError::Unfit("the built-in model is no plain step of an LSTM".to_owned());
    let lstm = checked.step.as_ref().ok_or_else(unfit)?;
    let signature = signature(&checked.metadata, None, lstm.hidden)?;
    let version = format!("{}/built-in", FORECASTER.name);
    let model = kernel(lstm, &signature, &version).ok_or_else(unfit)?;
    Ok(Arc::clone(MADE.get_or_init(|| Arc::new(model))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Golden;

    #[test]
    fn it_computes_what_its_golden_file_says() {
        let model = default_step_model().unwrap();
        let golden = Golden::parse(FORECASTER.golden).unwrap();
        golden.verify_step(model.as_ref()).unwrap();
        assert!(
            FORECASTER
                .card
                .contains(&format!("version = {}", FORECASTER.version))
        );
    }
}
