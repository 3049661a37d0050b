//! The models that say when a resource runs out: read from bundles, run on a kernel of our own.

use std::path::Path;
use std::sync::Arc;

use features::headroom::HEADROOM_SCHEMA;
use graph::{Limits, read_perceptron};
use predict::exhaustion::{Judge, Network};

use crate::built_in::BuiltIn;
use crate::load::LoadError;

/// For what is filled and emptied.
pub const STOCK: BuiltIn = BuiltIn {
    name: "exhaustion-stock",
    version: 1,
    model: include_bytes!("../../../models/exhaustion-stock/1/model.onnx"),
    card: include_str!("../../../models/exhaustion-stock/1/card.toml"),
    golden: include_bytes!("../../../models/exhaustion-stock/1/golden.json"),
};

/// For what serves requests.
pub const SERVICE: BuiltIn = BuiltIn {
    name: "exhaustion-service",
    version: 1,
    model: include_bytes!("../../../models/exhaustion-service/1/model.onnx"),
    card: include_str!("../../../models/exhaustion-service/1/card.toml"),
    golden: include_bytes!("../../../models/exhaustion-service/1/golden.json"),
};

/// The judge that the binary brings along.
///
/// # Errors
/// [`LoadError`] when a bundle was made for other columns, which a test rules out.
pub fn default_judge() -> Result<Arc<Judge>, LoadError> {
    judge(STOCK.model, SERVICE.model)
}

/// The judge whose models stand in `dir`, each in a folder of its name; the binary's own takes the place of one that is not
/// there.
///
/// # Errors
/// [`LoadError`] when neither is there, one cannot be read, or is refused.
pub fn judge_in(dir: &Path) -> Result<Arc<Judge>, LoadError> {
    let read = |model: BuiltIn| {
        let path = dir.join(model.name).join("model.onnx");
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LoadError::Unfit(format!(
                "reading {}: {error}",
                path.display()
            ))),
        }
    };
    let (stock, service) = (read(STOCK)?, read(SERVICE)?);
    if stock.is_none() && service.is_none() {
        let names = format!("neither {} nor {} is there", STOCK.name, SERVICE.name);
        return Err(LoadError::Unfit(names));
    }
    judge(
        stock.as_deref().unwrap_or(STOCK.model),
        service.as_deref().unwrap_or(SERVICE.model),
    )
}

/// A judge from the bytes of two files, `model.onnx` of a stock and of a service.
///
/// # Errors
/// [`LoadError`] when one does not pass the checks, is no perceptron of ours, or was trained on other columns.
pub fn judge(stock: &[u8], service: &[u8]) -> Result<Arc<Judge>, LoadError> {
    let judge = Judge::new(network(stock)?, network(service)?);
    judge
        .map(Arc::new)
        .map_err(|error| LoadError::Unfit(error.to_string()))
}

fn network(bytes: &[u8]) -> Result<Network, LoadError> {
    let unfit = |why: &str| LoadError::Unfit(why.to_owned());
    let Some((perceptron, metadata)) = read_perceptron(bytes, &Limits::default())? else {
        return Err(unfit(
            "the graph is no perceptron as `forestall train exhaustion` writes it",
        ));
    };
    if metadata.get("forestall.inputs") != Some(&HEADROOM_SCHEMA.join(",")) {
        return Err(unfit(
            "the model was trained on other columns than this engine makes",
        ));
    }
    Network::new(perceptron.inputs, perceptron.layers)
        .map_err(|error| LoadError::Unfit(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Golden, TensorData};

    /// What the kernel gives is what the trainer gave.
    #[test]
    fn they_compute_what_their_golden_files_say() {
        default_judge().unwrap();
        for model in [STOCK, SERVICE] {
            let network = network(model.model).unwrap();
            let golden = Golden::parse(model.golden).unwrap();
            for step in &golden.steps {
                let (TensorData::F32(rows), TensorData::F32(expected)) =
                    (&step.inputs[0].data, &step.outputs[0].data)
                else {
                    panic!("{}: not f32", model.name);
                };
                let rows = rows.chunks_exact(network.inputs());
                let found: Vec<f32> = rows.flat_map(|row| network.run(row)).collect();
                assert_eq!(found.len(), expected.len());
                for (a, b) in found.iter().zip(expected) {
                    assert!((a - b).abs() < 1e-5, "{}: {a} {b}", model.name);
                }
            }
            assert!(model.card.contains(&format!("name = \"{}\"", model.name)));
        }
    }

    #[test]
    fn others_are_refused() {
        let lstm = crate::FORECASTER.model;
        let error = judge(lstm, SERVICE.model).unwrap_err().to_string();
        assert!(error.contains("no perceptron"), "{error}");
        let error = judge(SERVICE.model, SERVICE.model).unwrap_err().to_string();
        assert!(error.contains("expected"), "{error}");
    }
}
