//! The models that say when a resource runs out: read from bundles, run on a kernel of our own.

use std::path::Path;
use std::sync::Arc;

use features::headroom::{HEADROOM_SCHEMA, N_HEADROOM, N_SERVICE};
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
            Err(error) => {
                let (name, path) = (model.name, path.display());
                let what = format!("reading the model {name} from {path}: {error}");
                Err(LoadError::Unfit(what))
            }
        }
    };
    let (stock, service) = (read(STOCK)?, read(SERVICE)?);
    if stock.is_none() && service.is_none() {
        let (stock, service, dir) = (STOCK.name, SERVICE.name, dir.display());
        let names = format!("neither {stock}/model.onnx nor {service}/model.onnx is in {dir}");
        return Err(LoadError::Unfit(names));
    }
    let checked = |model: BuiltIn, bytes: Option<Vec<u8>>, inputs: usize| {
        let Some(bytes) = bytes else {
            return network(model.model);
        };
        let found = network(&bytes).and_then(|network| match network.inputs() {
            n if n == inputs => Ok(network),
            n => Err(LoadError::Unfit(format!(
                "it takes rows of {n} columns, expected {inputs}"
            ))),
        });
        found.map_err(|error| {
            let path = dir.join(model.name).join("model.onnx");
            let (name, path) = (model.name, path.display());
            LoadError::Unfit(format!("the model {name} in {path}: {error}"))
        })
    };
    joined(
        checked(STOCK, stock, N_HEADROOM)?,
        checked(SERVICE, service, N_SERVICE)?,
    )
}

/// A judge from the bytes of two files, `model.onnx` of a stock and of a service.
///
/// # Errors
/// [`LoadError`] when one does not pass the checks, is no perceptron of ours, or was trained on other columns.
pub fn judge(stock: &[u8], service: &[u8]) -> Result<Arc<Judge>, LoadError> {
    joined(network(stock)?, network(service)?)
}

fn joined(stock: Network, service: Network) -> Result<Arc<Judge>, LoadError> {
    Judge::new(stock, service)
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

    #[test]
    fn what_is_wrong_is_told_with_model_file_and_folder() {
        let dir = tempfile::tempdir().unwrap();
        let shown = dir.path().display().to_string();
        let error = || judge_in(dir.path()).unwrap_err().to_string();
        assert!(error().ends_with(&format!("is in {shown}")), "{}", error());
        let folder = dir.path().join(STOCK.name);
        let file = folder.join("model.onnx");
        std::fs::create_dir(&folder).unwrap();
        let begin = format!("the model exhaustion-stock in {}: ", file.display());
        for (bytes, why) in [
            (&b"no graph"[..], ""),
            (crate::FORECASTER.model, "the graph is no perceptron"),
            (SERVICE.model, "it takes rows of"),
        ] {
            std::fs::write(&file, bytes).unwrap();
            assert!(error().starts_with(&format!("{begin}{why}")), "{}", error());
        }
        std::fs::write(&file, STOCK.model).unwrap();
        judge_in(dir.path()).unwrap();
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        let begin = format!("reading the model exhaustion-stock from {}", file.display());
        assert!(error().starts_with(&begin), "{}", error());
    }
}
