//! Models of the registry on disk, and the one that is part of this program.

use std::sync::Arc;

use onnx::{Backend, Golden, SignatureCard, chosen};
use predict::forecast::Model;
use store::models::{Bundle, Kind, Name, Registry};

use super::edition::Edition;
use super::graph::GraphRunner;
use super::repository::{Entry, Library};
use super::runner::Runner;
use super::step::StepRunner;

/// All models that there are.
#[derive(Debug)]
pub(crate) struct Models {
    /// `None` where nothing is kept on disk.
    pub(crate) registry: Option<Registry>,
    /// A model that is always there, and its name.
    pub(crate) built_in: Option<(Name, Arc<dyn Model>)>,
    /// How graphs are loaded.
    pub(crate) options: onnx::Options,
}

impl Library for Models {
    fn list(&self) -> Result<Vec<Entry>, String> {
        let listing = match &self.registry {
            Some(registry) => registry.list().map_err(|error| error.to_string())?,
            None => Default::default(),
        };
        let mut entries: Vec<Entry> = Vec::new();
        for model in listing.models {
            let champion = model.champion.unwrap_or_else(|why| {
                // Its newest version is as good a guess as any, and better than none. This is asked every few seconds.
                tracing::debug!(model = %model.name, why, "the champion cannot be told");
                None
            });
            entries.push(Entry {
                name: model.name,
                versions: model.versions.into_iter().map(Edition::Installed).collect(),
                champion: champion.map(Edition::Installed),
            });
        }
        if let Some((name, _)) = &self.built_in {
            let place = entries.iter().position(|entry| entry.name == *name);
            let place = place.unwrap_or_else(|| {
                entries.push(Entry {
                    name: name.clone(),
                    versions: Vec::new(),
                    champion: None,
                });
                entries.len() - 1
            });
            let entry = &mut entries[place];
            entry.versions.insert(0, Edition::BuiltIn);
            // It serves until somebody chooses another, as in the engine.
            entry.champion.get_or_insert(Edition::BuiltIn);
        }
        Ok(entries)
    }

    fn open(&self, name: &Name, edition: Edition) -> Result<Arc<dyn Runner>, String> {
        match (edition, &self.built_in, &self.registry) {
            (Edition::BuiltIn, Some((_, model)), _) => {
                Ok(Arc::new(StepRunner::new(Arc::clone(model), "forestall")))
            }
            (Edition::Installed(version), _, Some(registry)) => {
                let bundle = registry.read(name, version);
                self.try_out(&bundle.map_err(|error| with_causes(&error))?)
            }
            (Edition::BuiltIn, None, _) | (Edition::Installed(_), _, None) => {
                Err("it is gone".to_owned())
            }
        }
    }
}

impl Models {
    /// Loads a bundle, and holds it to its golden outputs before anybody is served.
    fn try_out(&self, bundle: &Bundle) -> Result<Arc<dyn Runner>, String> {
        let golden = Golden::parse(&bundle.golden).map_err(|error| with_causes(&error))?;
        match bundle.card.kind {
            Kind::LstmStep => {
                let card: SignatureCard = bundle
                    .card
                    .signature
                    .clone()
                    .try_into()
                    .map_err(|error| format!("card.toml, [signature]: {error}"))?;
                let version = bundle.card.version.to_string();
                let model = onnx::step_model(&bundle.model, Some(&card), &version, &self.options)
                    .map_err(|error| with_causes(&error))?;
                let verified = golden.verify_step(model.as_ref());
                verified.map_err(|error| with_causes(&error))?;
                Ok(Arc::new(StepRunner::new(model, "forestall")))
            }
            Kind::Forest | Kind::Calibrator | Kind::Onnx => {
                let graph = onnx::load(&bundle.model, &self.options);
                let graph = graph.map_err(|error| with_causes(&error))?;
                golden.verify(&graph).map_err(|error| with_causes(&error))?;
                let platform = match &chosen().backend {
                    Backend::OnnxRuntime { .. } => "onnxruntime_onnx",
                    Backend::Tract => "tract_onnx",
                };
                Ok(Arc::new(GraphRunner::new(graph, platform)?))
            }
        }
    }
}

/// An error and what caused it, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
