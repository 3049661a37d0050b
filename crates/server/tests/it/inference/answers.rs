//! What a model computes, as it comes back.

use proto::inference::model_infer_request::InferRequestedOutputTensor;

use super::*;

/// In the order of the model.
const OUTPUTS: [&str; 5] = ["location", "scale", "tail", "h_next", "c_next"];

#[tokio::test(flavor = "multi_thread")]
async fn a_model_answers_in_the_form_it_was_asked_in() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), "step", bundle(1, Kind::LstmStep));
    // The same graph, run by the runtime and not by our own kernel.
    install(dir.path(), "graph", bundle(1, Kind::Onnx));
    let (_server, mut client) = serving(dir.path(), |_| {}).await;
    let expected = expected(1, 0..3);
    for model in ["step", "graph"] {
        for form in [As::Raw, As::Typed] {
            let asked = client.model_infer(request(model, 0..3, form)).await;
            let answer = asked.unwrap().into_inner();
            assert_eq!(answer.raw_output_contents.is_empty(), form == As::Typed);
            assert_eq!(
                (answer.model_name.as_str(), answer.model_version.as_str()),
                (model, "1")
            );
            assert_eq!(answer.id, "question");
            let names: Vec<&str> = answer.outputs.iter().map(|o| o.name.as_str()).collect();
            assert_eq!(names, OUTPUTS);
            let shapes: Vec<&[i64]> = answer.outputs.iter().map(|o| &o.shape[..]).collect();
            assert_eq!(shapes, [[3, 3], [3, 3], [3, 3], [3, 5], [3, 5]]);
            assert_close(&outputs(&answer), &expected);
        }
    }
    // Some outputs, in the order in which they are wanted.
    let mut some = request("step", 0..3, As::Raw);
    for name in ["c_next", "location"] {
        some.outputs.push(InferRequestedOutputTensor {
            name: name.to_owned(),
            ..Default::default()
        });
    }
    let answer = client.model_infer(some).await.unwrap().into_inner();
    assert_close(
        &outputs(&answer),
        &[expected[4].clone(), expected[0].clone()],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_each_get_their_own_rows() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), "graph", bundle(3, Kind::Onnx));
    let (_server, client) = serving(dir.path(), |config| {
        config.max_batch = 16;
        config.max_delay_us = 20_000;
    })
    .await;
    let asked: Vec<_> = (0..64)
        .map(|i| {
            let mut client = client.clone();
            let request = request("graph", i..i + 1 + i % 3, As::Raw);
            tokio::spawn(async move { client.model_infer(request).await })
        })
        .collect();
    for (i, asked) in asked.into_iter().enumerate() {
        let answer = within(asked).await.unwrap().unwrap().into_inner();
        assert_close(&outputs(&answer), &expected(3, i..i + 1 + i % 3));
    }
    let mut client = client;
    let asked = client.model_statistics(oip::ModelStatisticsRequest::default());
    let stats = asked.await.unwrap().into_inner().model_stats.remove(0);
    let rows: u64 = (0..64).map(|i| 1 + i % 3).sum();
    assert_eq!(
        (stats.name.as_str(), stats.inference_count),
        ("graph", rows)
    );
    assert!(
        stats.execution_count < 32,
        "{} batches",
        stats.execution_count
    );
    let times = stats.inference_stats.unwrap();
    assert_eq!(times.success.unwrap().count, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_know_of_each_other_are_not_joined() {
    let dir = tempfile::tempdir().unwrap();
    let numbers =
        |data: [f32; 4]| serde_json::json!({"shape": [2, 2], "dtype": "f32", "data": data});
    let golden = serde_json::json!({"tolerance": 1e-5, "steps": [{
        "inputs": {"x": numbers([1.0, 2.0, 3.0, 2.0])},
        "outputs": {"y": numbers([-1.0, 0.0, 1.0, 0.0])},
    }]});
    let mean = NewBundle {
        model: include_bytes!("../../fixtures/mean.onnx").to_vec(),
        golden: serde_json::to_vec(&golden).unwrap(),
        ..bundle(1, Kind::Onnx)
    };
    install(dir.path(), "mean", mean);
    let (_server, client) = serving(dir.path(), |config| config.max_delay_us = 20_000).await;
    let asked = [1.0_f32, 2.0, 3.0, 4.0].map(|value| {
        let mut client = client.clone();
        let mut request = request("mean", 0..1, As::Raw);
        request.inputs.truncate(1);
        request.raw_input_contents = vec![[value, value].map(f32::to_le_bytes).concat().into()];
        tokio::spawn(async move { client.model_infer(request).await })
    });
    for asked in asked {
        let answer = within(asked).await.unwrap().unwrap().into_inner();
        // A row alone is its own mean.
        assert_close(&outputs(&answer), &[vec![0.0, 0.0]]);
    }
}
