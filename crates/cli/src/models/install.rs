//! `forestall models install`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use onnx::{Golden, Tensor, TensorData};
use server::models::{Loader, verify};
use store::models::{Bundle, Card, Kind, Name, NewBundle, Version, sha256_hex};

use super::place::{Opened, Place, now};
use crate::hint::WithHint;

/// Runs of a model that comes without a golden file, and how near it must come to them from then on.
const GOLDEN_STEPS: usize = 8;
const TOLERANCE: f64 = 1e-5;

#[derive(Debug, Args)]
pub(super) struct InstallArgs {
    /// The model that it becomes a version of
    name: Name,
    /// A folder with model.onnx, card.toml and golden.json, as `forestall train` leaves it; or an ONNX file
    from: PathBuf,
    /// For an ONNX file whose metadata does not say it: a TOML file with schema_hash, inputs, horizons and soft_limit
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// For an ONNX file: under which terms it may be handed on, as an SPDX expression
    #[arg(long, value_name = "SPDX", default_value = "")]
    licence: String,
    /// For an ONNX file that forecasts nothing: keep it for the inference service alone
    #[arg(long, conflicts_with = "signature")]
    any_graph: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &InstallArgs) -> anyhow::Result<()> {
    let opened = args.place.open()?;
    let bundle = if args.from.is_dir() {
        opened.registry.read_loose(&args.from)?
    } else {
        of_file(&opened, args)?
    };
    let tried = Bundle {
        card: bundle.card.clone(),
        model: bundle.model.clone(),
        golden: bundle.golden.clone(),
    };
    // Better now than when it is to serve.
    let verified = verify(&opened.loader, &tried).context("it was not installed")?;
    let version = opened
        .registry
        .install(&args.name, bundle, &args.why, now())?;
    let mut out = std::io::stdout().lock();
    let place = opened.registry.version_dir(&args.name, version);
    writeln!(
        out,
        "{}/{version} is in {}: {} golden steps as expected",
        args.name,
        place.display(),
        verified.n_steps
    )?;
    writeln!(
        out,
        "\nTry next: forestall models compare {} {version} --data DIR",
        args.name
    )?;
    Ok(())
}

/// A bundle of a file alone: what it computes now is what it must compute from now on.
fn of_file(opened: &Opened, args: &InstallArgs) -> anyhow::Result<NewBundle> {
    let path = &args.from;
    let model = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let signature = args.signature.as_deref().map(table).transpose()?;
    let mut bundle = Bundle {
        card: Card {
            name: args.name.clone(),
            version: Version::FIRST,
            kind: if args.any_graph {
                Kind::Onnx
            } else {
                Kind::LstmStep
            },
            sha256: sha256_hex(&model),
            golden_sha256: String::new(),
            created: jiff::Timestamp::from_microsecond(now().micros())?
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
            licence: args.licence.clone(),
            signature: signature.unwrap_or_default(),
            training: toml::Table::new(),
            metrics: toml::Table::new(),
        },
        model,
        golden: Vec::new(),
    };
    bundle.golden = if args.any_graph {
        of_graph(opened, &bundle.model)?.into_bytes()
    } else {
        let loaded = opened.loader.step(&bundle, &format!("{}/new", args.name));
        let loaded = loaded.map_err(|cause| {
            let error = anyhow::Error::from_boxed(cause).context(format!("loading {}", path.display()));
            error.hint("--signature FILE says what the graph does not; --any-graph installs what forecasts nothing")
        })?;
        let golden = Golden::record(loaded.as_ref(), GOLDEN_STEPS, TOLERANCE)?;
        golden.to_json()?.into_bytes()
    };
    let Bundle {
        card,
        model,
        golden,
    } = bundle;
    Ok(NewBundle {
        card,
        model,
        golden,
    })
}

fn table(path: &Path) -> anyhow::Result<toml::Table> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    text.parse()
        .with_context(|| format!("reading {}", path.display()))
}

/// Golden outputs of any graph, on zeros; a dimension that the graph leaves open is 1.
fn of_graph(opened: &Opened, model: &[u8]) -> anyhow::Result<String> {
    let graph = onnx::load(model, &opened.loader.options)?;
    let inputs = graph.inputs().iter().map(|info| {
        let shape = info
            .shape
            .iter()
            .map(|axis| axis.map_or(Ok(1), usize::try_from));
        let shape: Vec<usize> = shape.collect::<Result<_, _>>()?;
        let data = TensorData::zeros(info.dtype, shape.iter().product());
        let data = data
            .with_context(|| format!("input {:?} has a type that cannot be filled", info.name))?;
        Ok(Tensor {
            name: info.name.clone(),
            shape,
            data,
        })
    });
    let inputs: anyhow::Result<Vec<Tensor>> = inputs.collect();
    Ok(Golden::of(&graph, vec![inputs?])?.to_json()?)
}
