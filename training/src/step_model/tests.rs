use super::*;
use crate::generate::Generator;

fn order(out: &Path) -> Order {
    let mut recipe = Recipe::named("quick").unwrap();
    recipe.optimiser.epochs = 10;
    recipe.optimiser.batch = 16;
    Order {
        recipe,
        recipe_name: "quick".to_owned(),
        out: out.to_owned(),
        begin: Begin::Resume,
        created: "2026-01-01T00:00:00Z".to_owned(),
        command: "forestall train".to_owned(),
    }
}

fn train(order: &Order) -> Report {
    let mut source = Generator::new(order.recipe.generate.clone(), order.recipe.seed);
    let go_on = &mut |_| ControlFlow::Continue(());
    train_step_model(order, &mut source, go_on)
        .unwrap()
        .unwrap()
}

#[test]
fn the_bundle_is_whole_and_the_same_again() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let report = train(&order(dirs[0].path()));
    train(&order(dirs[1].path()));
    let names: Vec<&str> = report.verdict.judgements.iter().map(|j| &*j.name).collect();
    assert_eq!(names, ["model", "constant", "persistence", "linear"]);
    let nll = |i: usize| report.verdict.judgements[i].nll;
    assert!(nll(0) < nll(1) - 0.3, "{:?}", report.verdict);
    for name in ["model.onnx", "golden.json", "card.toml"] {
        let [a, b] = dirs
            .each_ref()
            .map(|dir| fs::read(dir.path().join(name)).unwrap());
        assert_eq!(a, b, "{name}");
    }
    let mut left: Vec<String> = fs::read_dir(dirs[0].path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["card.toml", "golden.json", "model.onnx"]);

    let model = fs::read(dirs[0].path().join("model.onnx")).unwrap();
    let checked = graph::check(&model, &graph::Limits::default()).unwrap();
    assert_eq!(checked.step.unwrap(), report.fitted.parameters.to_graph());
    assert_eq!(checked.metadata["forestall.horizons"], "1,4");
    assert_eq!(
        checked.metadata["forestall.schema_hash"],
        "0xce8f2816c1cdb9fb"
    );
    let card: toml::Table =
        toml::from_str(&fs::read_to_string(dirs[0].path().join("card.toml")).unwrap()).unwrap();
    assert_eq!(
        card["sha256"].as_str().unwrap(),
        crate::bundle::sha256_hex(&model)
    );
    assert_eq!(card["signature"]["horizons"].as_array().unwrap().len(), 2);
}

/// The golden file holds what the serving kernel computes.
#[test]
fn the_kernel_reproduces_the_golden_file() {
    use predict::forecast::{Batch, Kernel, Model, Weights};
    let order = order(Path::new("unused"));
    let recipe = &order.recipe;
    let parameters = Parameters::start(recipe.shape(), &mut Rng::new(1, 1));
    let lstm = parameters.to_graph();
    let weights = Weights {
        w: lstm.w,
        r: lstm.r,
        b: lstm.b,
        head_w: lstm.head_w,
        head_b: lstm.head_b,
    };
    let signature = recipe.signature().unwrap();
    let kernel = Kernel::new(signature.clone(), "1", &weights).unwrap();
    let (mut session, mut batch) = (kernel.session().unwrap(), Batch::default());
    let golden: serde_json::Value =
        serde_json::from_str(&golden(recipe, &parameters).text()).unwrap();
    let steps = golden["steps"].as_array().unwrap();
    assert_eq!(steps.len(), GOLDEN_STEPS);
    for step in steps {
        let numbers = |part: &str, name: &str| -> Vec<f32> {
            let data = step[part][name]["data"].as_array().unwrap();
            data.iter().map(|x| x.as_f64().unwrap() as f32).collect()
        };
        batch.resize(GOLDEN_ROWS, &signature);
        batch.x = numbers("inputs", "x");
        batch.h = numbers("inputs", "h");
        batch.c = numbers("inputs", "c");
        session.step(&mut batch).unwrap();
        for (found, name) in [
            (&batch.location, "location"),
            (&batch.scale, "scale"),
            (&batch.tail, "tail"),
            (&batch.h, "h_next"),
            (&batch.c, "c_next"),
        ] {
            let expected = numbers("outputs", name);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-5,
                    "{name}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn whoever_stops_it_gets_no_bundle_and_may_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let order = order(dir.path());
    let mut source = Generator::new(order.recipe.generate.clone(), order.recipe.seed);
    let mut batches = 0;
    let stopped = train_step_model(&order, &mut source, &mut |stage| {
        batches += usize::from(matches!(stage, Stage::Training(_)));
        if batches == 2 {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    assert_eq!(stopped.unwrap(), None);
    assert!(dir.path().join("checkpoint").exists() && !dir.path().join("card.toml").exists());
    let other = tempfile::tempdir().unwrap();
    let whole = Order {
        out: other.path().to_owned(),
        ..order.clone()
    };
    assert_eq!(train(&order).fitted, train(&whole).fitted);
}
