//! An isolation forest over feature rows, grown from a sample of all that is normal.
//!
//! Liu, Ting & Zhou, "Isolation Forest", ICDM 2008. The columns are those of the forest in `predict`, which grows its own
//! as it goes; this one is for whoever wants it as a model: it does not change while it serves, and any runtime of ONNX
//! runs it. Tails are drawn in harder than there, as for step models: over all series at once, the few rows of a constant
//! that moved would stretch every column so far that cuts fell into empty space.

use std::path::Path;

use features::{N_COLUMNS, SCHEMA, column};
use graph::{Forest, TreeNode};

use crate::bundle::{Bundle, CardText, Golden, metadata};
use crate::rng::Rng;
use crate::source::Source;
use crate::spool::SpoolError;
use crate::step_model::TrainError;

/// The columns that are comparable between series.
const USED: [usize; 10] = [
    column::LEVEL,
    column::DIFFERENCE,
    column::TREND,
    column::SCALE,
    column::SHORT_RESIDUAL,
    column::LONG_RESIDUAL,
    column::SEASONAL_RESIDUAL,
    column::RANK,
    column::VARIANCE_RATIO,
    column::AUTOCORRELATION,
];
/// Points lie within this distance of 0 in every column.
const SOFT_LIMIT: f32 = 8.0;
/// Rows that differ by less than this in a column do not differ: cuts would tell rounding from rounding.
const LEAST_WIDTH: f32 = 0.05;
/// Rows that are kept for the threshold.
const JUDGED: usize = 20_000;
/// How seldom a row should score above the threshold.
const THRESHOLD_SHARE: f64 = 1e-3;
const GOLDEN_ROWS: usize = 32;

/// How a forest is grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForestRecipe {
    /// Trees, 1 to 1,000.
    pub trees: usize,
    /// Rows that each is grown from, 16 to 4,096.
    pub sample: usize,
    /// Where all chance comes from.
    pub seed: u64,
}

/// A forest, and what it says about rows that it was not grown from.
#[derive(Debug, Clone, PartialEq)]
pub struct GrownForest {
    /// The trees.
    pub forest: Forest,
    /// The score that one row in 1,000 exceeds.
    pub threshold: f32,
    /// The median score.
    pub median: f32,
    /// Rows seen.
    pub rows: u64,
    /// Some of the rows, as the forest reads them.
    examples: Vec<f32>,
    data_sha256: String,
}

/// One row as the forest reads it: `x / sqrt(1 + (x / 8)^2)` of each column.
#[must_use]
pub fn point(columns: &[f32; N_COLUMNS]) -> [f32; USED.len()] {
    USED.map(|place| columns[place] / (columns[place] / SOFT_LIMIT).hypot(1.0))
}

/// Grows a forest from the normal rows of a source. Holds `trees * sample` rows in memory, whatever the source has.
///
/// # Errors
/// [`TrainError`] when data does not come, or too little of it.
pub fn grow_forest(
    recipe: ForestRecipe,
    source: &mut dyn Source,
    tell: &mut dyn FnMut(u64),
) -> Result<GrownForest, TrainError> {
    let trees = recipe.trees.clamp(1, 1_000);
    let sample = recipe.sample.clamp(16, 4_096);
    let mut rng = Rng::new(recipe.seed, 1);
    let wanted = trees * sample + JUDGED;
    // An even draw from a stream of unknown length: algorithm R (Vitter, ACM TOMS 11, 1985).
    let (mut kept, mut rows): (Vec<[f32; USED.len()]>, u64) = (Vec::new(), 0);
    source.chunks(&mut |chunk| {
        for (columns, normal) in chunk.columns.iter().zip(chunk.use_as_normal) {
            let point = point(columns);
            if !normal || !point.iter().all(|x| x.is_finite()) {
                continue;
            }
            rows += 1;
            if kept.len() < wanted {
                kept.push(point);
            } else if let Some(place) = kept.get_mut((rng.bits() % rows) as usize) {
                *place = point;
            }
        }
        tell(rows);
        Ok::<(), SpoolError>(())
    })?;
    let least = 2 * sample;
    if kept.len() < least {
        return Err(TrainError::TooFewRows {
            found: kept.len(),
            least,
        });
    }
    rng.shuffle(&mut kept);
    let data_sha256 = crate::bundle::sha256_hex(bytemuck::cast_slice(&kept));
    // A tenth at least is left to be judged by; where rows are few, trees share them.
    let judged = (kept.len() / 10).clamp(1, JUDGED);
    let (judged, learned) = kept.split_at(judged);
    let grow = |i: usize| {
        let first = i * sample % (learned.len() - sample + 1).max(1);
        let mut rows = learned[first..(first + sample).min(learned.len())].to_vec();
        let depth = usize::BITS - (rows.len() - 1).leading_zeros();
        let mut tree = Vec::new();
        branch(&mut tree, &mut rows, 0, depth, &mut rng.for_item(i));
        tree
    };
    let forest = Forest {
        features: USED.len(),
        normaliser: unsuccessful(sample),
        trees: (0..trees).map(grow).collect(),
    };
    let mut scores: Vec<f32> = judged.iter().map(|row| score(&forest, row)).collect();
    scores.sort_by(f32::total_cmp);
    #[expect(clippy::cast_sign_loss, reason = "a share of a count")]
    let allowed = (scores.len() as f64 * THRESHOLD_SHARE) as usize;
    Ok(GrownForest {
        forest,
        threshold: scores[scores.len() - 1 - allowed],
        median: scores[scores.len() / 2],
        rows,
        examples: judged.iter().take(GOLDEN_ROWS).flatten().copied().collect(),
        data_sha256,
    })
}

/// Grows the subtree of `rows` and returns its place.
fn branch(
    tree: &mut Vec<TreeNode>,
    rows: &mut [[f32; USED.len()]],
    level: u32,
    depth: u32,
    rng: &mut Rng,
) -> usize {
    let place = tree.len();
    tree.push(TreeNode::Leaf {
        depth: level as f32 + unsuccessful(rows.len()),
    });
    let feature = rng.below(USED.len());
    let values = || rows.iter().map(|row| row[feature]);
    let low = values().fold(f32::INFINITY, f32::min);
    let high = values().fold(f32::NEG_INFINITY, f32::max);
    if level == depth || rows.len() < 2 || high - low <= LEAST_WIDTH {
        return place;
    }
    let at = low + rng.uniform() as f32 * (high - low);
    rows.sort_unstable_by(|a, b| a[feature].total_cmp(&b[feature]));
    let n_below = rows.partition_point(|row| row[feature] < at);
    let (less, rest) = rows.split_at_mut(n_below);
    let below = branch(tree, less, level + 1, depth, rng);
    let above = branch(tree, rest, level + 1, depth, rng);
    tree[place] = TreeNode::Cut {
        feature,
        at,
        below,
        above,
    };
    place
}

/// Mean depth of an unsuccessful search among `n` (c(n) of the paper).
fn unsuccessful(n: usize) -> f32 {
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => 2.0 * (((n - 1) as f32).ln() + 0.577_215_7) - 2.0 * (n - 1) as f32 / n as f32,
    }
}

/// What the graph computes, directly.
#[must_use]
pub fn score(forest: &Forest, point: &[f32]) -> f32 {
    let depth = |tree: &Vec<TreeNode>| {
        let mut place = 0;
        loop {
            match tree[place] {
                TreeNode::Cut {
                    feature,
                    at,
                    below,
                    above,
                } => place = if point[feature] < at { below } else { above },
                TreeNode::Leaf { depth } => return depth,
            }
        }
    };
    let sum: f32 = forest.trees.iter().map(depth).sum();
    (-sum / forest.trees.len().max(1) as f32 / forest.normaliser).exp2()
}

impl GrownForest {
    /// Writes the bundle into `dir`.
    ///
    /// # Errors
    /// [`TrainError`] when a file cannot be written.
    pub fn write(
        &self,
        recipe: ForestRecipe,
        description: &str,
        created: &str,
        command: &str,
        dir: &Path,
    ) -> Result<(), TrainError> {
        let names = USED.map(|place| SCHEMA[place].name).join(",");
        let mut meta = metadata("forest/1", recipe.seed, &self.data_sha256);
        for (key, value) in [
            ("inputs", names),
            ("soft_limit", SOFT_LIMIT.to_string()),
            ("threshold", self.threshold.to_string()),
        ] {
            meta.insert(format!("forestall.{key}"), value);
        }
        let mut golden = Golden::default();
        let rows = self.examples.len() / USED.len();
        let examples = self.examples.chunks_exact(USED.len());
        golden.step(
            &[("x", [rows, USED.len()], self.examples.clone())],
            &[(
                "score",
                [rows, 1],
                examples.map(|x| score(&self.forest, x)).collect(),
            )],
        );
        let training = toml::toml! {
            recipe = "forest"
            trees = (self.forest.trees.len() as i64)
            sample = (recipe.sample as i64)
            seed = (recipe.seed as i64)
            data = (description.to_owned())
            data_sha256 = (self.data_sha256.clone())
            rows = (self.rows as i64)
            command = (command.to_owned())
        };
        let metrics = toml::toml! {
            threshold = (f64::from(self.threshold))
            median_score = (f64::from(self.median))
        };
        let bundle = Bundle {
            model: graph::write_forest(&self.forest, &meta),
            golden,
            card: CardText {
                name: "forest".to_owned(),
                version: 1,
                kind: "forest/1",
                sha256: String::new(),
                golden_sha256: String::new(),
                created: created.to_owned(),
                licence: "Apache-2.0 OR MIT".to_owned(),
                signature: toml::Table::new(),
                training,
                metrics,
            },
        };
        Ok(bundle.write(dir)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Generator;
    use crate::recipe::Recipe;

    const RECIPE: ForestRecipe = ForestRecipe {
        trees: 50,
        sample: 128,
        seed: 3,
    };

    fn grown() -> GrownForest {
        let recipe = Recipe::named("quick").unwrap();
        let mut source = Generator::new(recipe.generate, 3);
        grow_forest(RECIPE, &mut source, &mut |_| ()).unwrap()
    }

    #[test]
    fn what_is_far_from_all_scores_high() {
        let (grown, again) = (grown(), grown());
        assert_eq!(grown.forest, again.forest);
        let mut far = [0.0; N_COLUMNS];
        (far[column::LEVEL], far[column::SCALE]) = (80.0, -9.0);
        (far[column::LONG_RESIDUAL], far[column::DIFFERENCE]) = (-60.0, 90.0);
        let near = score(&grown.forest, &[0.0; 10]);
        let far = score(&grown.forest, &point(&far));
        assert!(
            far > grown.median + 0.2 && grown.threshold > grown.median,
            "{far} {} {}",
            grown.threshold,
            grown.median
        );
        assert!(near < grown.median + 0.05 && far > 0.6, "{near} {far}");
        // Rows that take part in a split end at leaves that say so: scores lie between 0 and 1.
        assert!((0.0..1.0).contains(&near) && (0.0..1.0).contains(&far));
    }

    #[test]
    fn the_bundle_passes_the_checks_and_too_little_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        grown()
            .write(RECIPE, "test", "", "test", dir.path())
            .unwrap();
        let model = std::fs::read(dir.path().join("model.onnx")).unwrap();
        let checked = graph::check(&model, &graph::Limits::default()).unwrap();
        assert_eq!(checked.metadata["forestall.signature"], "forest/1");
        let mut few = Recipe::named("quick").unwrap().generate;
        (few.series, few.samples) = (1, [100, 100]);
        let error = grow_forest(RECIPE, &mut Generator::new(few, 1), &mut |_| ()).unwrap_err();
        assert!(error.to_string().contains("at least 256"), "{error}");
    }
}
