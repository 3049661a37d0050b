//! A forecasting model of the size that is shipped. What it has learned does not change what a step costs.

use std::error::Error;
use std::sync::Arc;

use features::{SCHEMA, schema_hash};
use hotpath::{EngineConfig, Models, Profile};
use predict::forecast::{Kernel, Model, Signature, Weights};

/// 8 inputs, a hidden state of 24, 5 horizons; another seed is another model.
///
/// # Errors
/// When the signature is out of range, which is a bug of the bench.
pub fn forecaster(seed: u64) -> Result<Arc<dyn Model>, Box<dyn Error>> {
    let inputs: Vec<&str> = SCHEMA[..8].iter().map(|column| column.name).collect();
    let signature = Signature::new(schema_hash(), &inputs, 24, vec![1, 2, 4, 8, 16], 4.0)?;
    let weights = Weights::seeded(&signature, seed);
    let version = format!("bench/{seed}");
    Ok(Arc::new(Kernel::new(signature, &version, &weights)?))
}

/// A profile, with the detector that forecasts or as it is.
///
/// # Errors
/// As [`forecaster`].
pub fn engine_config(profile: Profile, forecasts: bool) -> Result<EngineConfig, Box<dyn Error>> {
    let mut config = EngineConfig {
        profile,
        ..EngineConfig::default()
    };
    if forecasts {
        let enabled = [("enabled".to_owned(), toml::Value::Boolean(true))];
        let options = enabled.into_iter().collect();
        config.detectors.insert("lstm".to_owned(), options);
        let forecaster = Some(forecaster(1)?);
        config.models = Models { forecaster };
    }
    Ok(config)
}
