//! Whole trainings of the quick recipe, made smaller.

use super::*;
use crate::generate::Generator;
use crate::source::Source;
use crate::spool::SpoolWriter;

fn recipe() -> Recipe {
    let mut recipe = Recipe::named("quick").unwrap();
    recipe.generate.series = 18;
    recipe.generate.samples = [200, 600];
    recipe.optimiser.batch = 16;
    recipe.optimiser.checkpoint_blocks = 32;
    recipe
}

fn spool(recipe: &Recipe, dir: &Path) -> Spool {
    let signature = recipe.signature().unwrap();
    let mut writer = SpoolWriter::new(&dir.join("spool"), recipe, &signature).unwrap();
    Generator::new(recipe.generate.clone(), recipe.seed)
        .chunks(&mut |chunk| writer.push(chunk))
        .unwrap();
    writer.finish().unwrap()
}

fn finished(outcome: Outcome) -> Fitted {
    match outcome {
        Outcome::Finished(fitted) => fitted,
        Outcome::Stopped => panic!("nobody stopped it"),
    }
}

/// Stopped after every second batch, and gone on with.
#[test]
fn resumed_training_gives_the_same_bits() {
    let (recipe, dir) = (recipe(), tempfile::tempdir().unwrap());
    let spool = spool(&recipe, dir.path());
    let go_on = &mut |_: &Progress| ControlFlow::Continue(());
    let whole = finished(fit(&recipe, &spool, None, Begin::Anew, go_on).unwrap());
    assert_eq!(whole.history.len(), 3);
    assert!(whole.history[2].validation < whole.history[0].validation);
    assert_eq!(
        whole,
        finished(fit(&recipe, &spool, None, Begin::Anew, go_on).unwrap())
    );

    let path = dir.path().join("checkpoint");
    let mut stops = 0;
    let resumed = loop {
        let mut batches = 0;
        let outcome = fit(&recipe, &spool, Some(&path), Begin::Resume, &mut |_| {
            batches += 1;
            if batches == 2 {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        match outcome.unwrap() {
            Outcome::Finished(fitted) => break fitted,
            Outcome::Stopped => stops += 1,
        }
    };
    assert!(stops > 1, "{stops}");
    assert_eq!(resumed, whole);
    // What is finished stays finished.
    let again = fit(&recipe, &spool, Some(&path), Begin::Resume, go_on).unwrap();
    assert_eq!(finished(again), whole);

    let mut other = recipe.clone();
    other.seed += 1;
    let error = fit(&other, &spool, Some(&path), Begin::Resume, go_on).unwrap_err();
    assert!(error.to_string().contains("recipe"), "{error}");
}

#[test]
fn the_rate_climbs_and_falls() {
    let (mut recipe, dir) = (recipe(), tempfile::tempdir().unwrap());
    recipe.optimiser.epochs = 10;
    recipe.optimiser.warm_up_share = 0.1;
    let spool = spool(&recipe, dir.path());
    let mut fit = Fit::new(&recipe, &spool).unwrap();
    let rates: Vec<f32> = (0..10)
        .map(|epoch| {
            fit.epoch = epoch;
            fit.rate(0.5)
        })
        .collect();
    assert!((rates[0] - 0.005).abs() < 1e-6, "{rates:?}");
    assert!(
        rates[1..].windows(2).all(|pair| pair[0] > pair[1]),
        "{rates:?}"
    );
    assert!(rates[9] < 0.1 * rates[1], "{rates:?}");
}

#[test]
fn nothing_to_learn_from_is_said() {
    let (recipe, dir) = (recipe(), tempfile::tempdir().unwrap());
    let signature = recipe.signature().unwrap();
    let path = dir.path().join("spool");
    let empty = SpoolWriter::new(&path, &recipe, &signature)
        .unwrap()
        .finish()
        .unwrap();
    let go_on = &mut |_: &Progress| ControlFlow::Continue(());
    let error = fit(&recipe, &empty, None, Begin::Anew, go_on).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0 series with 0 rows leave nothing to learn from"
    );
    drop(empty);
    assert!(!path.exists());
}
