"""Asks a running server for forecasts with the public client of Triton, and compares them with ONNX Runtime.

Arguments: HOST:PORT and the model's file. Prints one line when all is well; any other end is a failure.
"""

import queue
import sys

import numpy
import onnxruntime
from tritonclient import grpc
from tritonclient.utils import InferenceServerException

address, path = sys.argv[1:]
client = grpc.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("lstm") and client.is_model_ready("lstm", "builtin")
assert client.get_server_metadata().name == "forestall"
index = {(model.name, model.state) for model in client.get_model_repository_index().models}
assert ("lstm", "READY") in index, index

session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
about = client.get_model_metadata("lstm")
assert [i.name for i in about.inputs] == [i.name for i in session.get_inputs()]
random = numpy.random.default_rng(7)


def tensors(arrays):
    inputs = []
    for name, array in arrays.items():
        tensor = grpc.InferInput(name, array.shape, "FP32")
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    return inputs


def ask(arrays, outputs=None):
    wanted = [grpc.InferRequestedOutput(name) for name in outputs] if outputs else None
    return client.infer("lstm", tensors(arrays), outputs=wanted, request_id="7", timeout=30_000_000)


# A state carried over some steps, for 1 row and for many.
names = [output.name for output in session.get_outputs()]
for rows in [1, 3, 200]:
    state = {
        i.name: numpy.zeros((rows, i.shape[1]), numpy.float32) for i in about.inputs
    }
    for step in range(5):
        state["x"] = random.uniform(-3, 3, state["x"].shape).astype(numpy.float32)
        answer = ask(state)
        assert answer.get_response().id == "7"
        for name, expected in zip(names, session.run(names, state)):
            found = answer.as_numpy(name)
            assert found.shape == expected.shape, (name, found.shape)
            worst = numpy.max(numpy.abs(found - expected) / (1 + numpy.abs(expected)))
            assert worst < 1e-5, (name, step, worst)
        state["h"], state["c"] = answer.as_numpy("h_next"), answer.as_numpy("c_next")

some = ask(state, ["tail"])
assert [output.name for output in some.get_response().outputs] == ["tail"]


def refused(arrays, word, code):
    try:
        ask(arrays)
    except InferenceServerException as error:
        assert word in error.message() and error.status() == f"StatusCode.{code}", error
    else:
        raise AssertionError(f"{word} was not refused")


refused({**state, "x": state["x"][:, 1:]}, 'inputs["x"]', "INVALID_ARGUMENT")
refused({**state, "h": state["h"][1:]}, 'inputs["h"]', "INVALID_ARGUMENT")
refused({**state, "c": state["c"] * numpy.nan}, 'inputs["c"]', "INVALID_ARGUMENT")
try:
    client.infer("none", [])
except InferenceServerException as error:
    assert error.status() == "StatusCode.NOT_FOUND", error

before = client.get_inference_statistics("lstm").model_stats[0]
assert before.inference_stats.success.count == 16, before

# Sixteen at once, each with an answer of its own.
answers = queue.Queue()
for row in range(16):
    one = {name: array[row : row + 1] for name, array in state.items()}
    client.async_infer(
        "lstm",
        tensors(one),
        lambda result, error, one=one: answers.put((one, result, error)),
    )
for _ in range(16):
    one, answer, error = answers.get(timeout=30)
    assert error is None, error
    for name, expected in zip(names, session.run(names, one)):
        assert numpy.allclose(answer.as_numpy(name), expected, rtol=1e-5, atol=1e-5), name

client.unload_model("lstm")
assert not client.is_model_ready("lstm")
client.load_model("lstm")
assert client.is_model_ready("lstm")
print("all well")
