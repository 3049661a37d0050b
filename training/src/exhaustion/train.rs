//! From a seed to the bundle of a model that says when a resource runs out.

use std::path::Path;

use features::headroom::{
    BIN_S, HEADROOM_SCHEMA, N_HEADROOM, N_SERVICE, TRACE_BINS, columns, service_row,
};
use graph::{Perceptron, write_perceptron};
use ndarray::ArrayView2;
use predict::exhaustion::{CLASSES, KNOT_S};

use super::episode::{self, Channels, Episode};
use super::network::{Examples, Mlp, Schedule};
use super::service;
use crate::bundle::{Bundle, BundleError, CardText, Golden, metadata, sha256_hex};
use crate::rng::Rng;

/// Bins that must have been seen before anything is asked.
const LEAST_SEEN: usize = 5;
/// Rows of the golden file.
const GOLDEN_ROWS: usize = 16;
/// Episodes that are held back to judge by.
const JUDGED: usize = 2_000;

/// Which of the two models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is filled and emptied: memory, disks, inodes, connections, descriptors, threads.
    Stock,
    /// What serves requests: processors and dependencies.
    Service,
}

impl Part {
    /// The name of its model.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "exhaustion-stock",
            Self::Service => "exhaustion-service",
        }
    }

    /// Numbers of a row.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::Stock => N_HEADROOM,
            Self::Service => N_SERVICE,
        }
    }

    /// Episode `i`, and whether it is one of a processor.
    fn episode(self, rng: &mut Rng, i: usize) -> (Episode, bool) {
        match self {
            Self::Stock => (episode::stock(rng), false),
            Self::Service if i.is_multiple_of(2) => (service::cpu(rng), true),
            Self::Service => (service::dependency(rng), false),
        }
    }

    /// Appends the row of what was seen up to now.
    fn row(self, seen: &[Channels], is_cpu: bool, out: &mut Vec<f32>) {
        let last = &seen[seen.len().saturating_sub(TRACE_BINS)..];
        let mut channels = [[0.0f32; TRACE_BINS]; 3];
        for (i, bin) in last.iter().enumerate() {
            for (channel, level) in channels.iter_mut().zip(bin) {
                channel[i] = *level;
            }
        }
        let [load, latency, errors] = channels.each_ref().map(|levels| &levels[..last.len()]);
        match self {
            Self::Stock => out.extend(columns(load)),
            Self::Service => out.extend(service_row([load, latency, errors], is_cpu)),
        }
    }
}

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct ExhaustionRecipe {
    /// Episodes to learn from.
    pub episodes: usize,
    /// Questions to each.
    pub questions: usize,
    /// How the network learns; its seed is that of the episodes too.
    pub schedule: Schedule,
}

impl ExhaustionRecipe {
    /// The recipe of the model that ships.
    #[must_use]
    pub fn default_of(part: Part) -> Self {
        let (episodes, steps, hidden, decay) = match part {
            Part::Stock => (100_000, 30_000, vec![192, 96], 0.01),
            Part::Service => (40_000, 20_000, vec![160, 96], 0.1),
        };
        Self {
            episodes,
            questions: 12,
            schedule: Schedule {
                hidden,
                batch: 256,
                steps,
                rate: 2e-3,
                decay,
                seed: 1,
            },
        }
    }
}

/// Where training stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ExhaustionStage {
    /// Episodes made so far.
    Simulating(usize),
    /// Updates so far, and the loss of the last hundred in nats.
    Training(usize, f64),
}

/// A trained model, and how good it is on episodes that it did not see.
#[derive(Debug, Clone)]
pub struct ExhaustionModel {
    part: Part,
    recipe: ExhaustionRecipe,
    network: Mlp,
    /// Rows that it learned from.
    pub rows: usize,
    /// Mean negative log-likelihood of the stretch in which exhaustion came, in nats, on held-back episodes.
    pub held_back_nll: f64,
    /// The same of one who knows only how often each stretch comes.
    pub ignorant_nll: f64,
    golden: Vec<f32>,
    data_sha256: String,
}

/// Makes episodes, and learns from them.
pub fn train_exhaustion(
    part: Part,
    recipe: &ExhaustionRecipe,
    tell: &mut dyn FnMut(ExhaustionStage),
) -> ExhaustionModel {
    let (seed, questions) = (recipe.schedule.seed, recipe.questions);
    let examples = examples(part, seed, recipe.episodes, questions, &mut |made| {
        tell(ExhaustionStage::Simulating(made));
    });
    let network = Mlp::train(
        &examples,
        part.width(),
        CLASSES,
        &recipe.schedule,
        |step, loss| {
            tell(ExhaustionStage::Training(step, loss));
        },
    );
    let judged = JUDGED.min(recipe.episodes);
    let held_back = self::examples(part, seed ^ 0x9e37, judged, questions / 2 + 1, &mut |_| {});
    let mut shares = [1.0f64; CLASSES];
    for &class in &examples.classes {
        shares[class as usize] += 1.0;
    }
    let total: f64 = shares.iter().sum();
    let n = held_back.classes.len().max(1) as f64;
    let ignorant = held_back
        .classes
        .iter()
        .map(|&class| -(shares[class as usize] / total).ln());
    ExhaustionModel {
        part,
        rows: examples.classes.len(),
        held_back_nll: nll(&network, &held_back, part.width()),
        ignorant_nll: ignorant.sum::<f64>() / n,
        golden: held_back
            .rows
            .iter()
            .take(GOLDEN_ROWS * part.width())
            .copied()
            .collect(),
        data_sha256: sha256_hex(bytemuck::cast_slice(&examples.rows)),
        recipe: recipe.clone(),
        network,
    }
}

/// The stretch of time in which exhaustion comes, `bins` from now.
fn class(bins: f64) -> u8 {
    let seconds = bins * BIN_S;
    KNOT_S.partition_point(|&knot| knot < seconds) as u8
}

fn examples(
    part: Part,
    seed: u64,
    episodes: usize,
    questions: usize,
    tell: &mut dyn FnMut(usize),
) -> Examples {
    let mut examples = Examples::default();
    for i in 0..episodes {
        let mut rng = Rng::new(seed, i as u64);
        let (episode, is_cpu) = part.episode(&mut rng, i);
        let last = episode.asked();
        for _ in 0..questions {
            if last <= LEAST_SEEN {
                break;
            }
            let t = LEAST_SEEN + rng.below(last - LEAST_SEEN);
            if let Some(remaining) = episode.remaining(t) {
                part.row(&episode.seen[..=t], is_cpu, &mut examples.rows);
                examples.classes.push(class(remaining));
            }
        }
        if (i + 1).is_multiple_of(256) {
            tell(i + 1);
        }
    }
    examples
}

fn nll(network: &Mlp, examples: &Examples, width: usize) -> f64 {
    let n = examples.classes.len();
    let Ok(rows) = ArrayView2::from_shape((n, width), &examples.rows) else {
        return f64::NAN;
    };
    let classes = network.run(rows);
    let each = classes.rows().into_iter().zip(&examples.classes);
    each.map(|(row, &class)| -f64::from(row[class as usize].max(1e-12).ln()))
        .sum::<f64>()
        / n.max(1) as f64
}

impl ExhaustionModel {
    /// Its weights.
    #[must_use]
    pub fn perceptron(&self) -> Perceptron {
        let layers = self.network.layers.iter();
        Perceptron {
            inputs: self.part.width(),
            layers: layers
                .map(|(w, b)| (w.iter().copied().collect(), b.to_vec()))
                .collect(),
        }
    }

    /// Writes the bundle into `dir`.
    ///
    /// # Errors
    /// [`BundleError`] when a file cannot be written.
    pub fn write(&self, created: &str, command: &str, dir: &Path) -> Result<(), BundleError> {
        let schedule = &self.recipe.schedule;
        let mut meta = metadata("exhaustion/1", schedule.seed, &self.data_sha256);
        meta.insert("forestall.inputs".to_owned(), HEADROOM_SCHEMA.join(","));
        let width = self.part.width();
        let n = self.golden.len() / width;
        let mut golden = Golden::default();
        if let Ok(rows) = ArrayView2::from_shape((n, width), &self.golden) {
            let classes = self.network.run(rows).iter().copied().collect();
            golden.step(
                &[("x", [n, width], self.golden.clone())],
                &[("classes", [n, CLASSES], classes)],
            );
        }
        let hidden: Vec<i64> = schedule.hidden.iter().map(|&n| n as i64).collect();
        let training = toml::toml! {
            recipe = "exhaustion"
            data = "simulated episodes"
            data_sha256 = (self.data_sha256.clone())
            episodes = (self.recipe.episodes as i64)
            questions = (self.recipe.questions as i64)
            hidden = (hidden)
            steps = (schedule.steps as i64)
            seed = (schedule.seed as i64)
            rows = (self.rows as i64)
            command = (command.to_owned())
        };
        let rounded = |x: f64| (x * 1e5).round() / 1e5;
        let metrics = toml::toml! {
            held_back_nll = (rounded(self.held_back_nll))
            ignorant_nll = (rounded(self.ignorant_nll))
        };
        Bundle {
            model: write_perceptron(&self.perceptron(), &meta),
            golden,
            card: CardText {
                name: self.part.name().to_owned(),
                version: 1,
                kind: "exhaustion/1",
                sha256: String::new(),
                golden_sha256: String::new(),
                created: created.to_owned(),
                licence: "Apache-2.0 OR MIT".to_owned(),
                signature: toml::Table::new(),
                training,
                metrics,
            },
        }
        .write(dir)
    }
}
