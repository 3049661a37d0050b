"""The trainings of benches/src/bin/train.rs in PyTorch, on one thread: a name and windows per second by round."""

import time

import torch

INPUTS, HIDDEN, STEPS, BATCH = 8, 32, 64, 64
HORIZONS = [1, 2, 4, 8, 16]
ROUNDS, BATCHES_PER_ROUND = 12, 40

torch.set_num_threads(1)
torch.manual_seed(1)


def rounds(batch):
    speeds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(BATCHES_PER_ROUND):
            batch()
        speeds.append(BATCH * BATCHES_PER_ROUND / (time.perf_counter() - start))
    return speeds


def plain():
    x, y = torch.randn(STEPS, BATCH, INPUTS), torch.randn(BATCH, 1)
    lstm, head = torch.nn.LSTM(INPUTS, HIDDEN), torch.nn.Linear(HIDDEN, 1)
    adam = torch.optim.Adam([*lstm.parameters(), *head.parameters()], fused=True)

    def batch():
        adam.zero_grad()
        states, _ = lstm(x)
        torch.nn.functional.mse_loss(head(states[-1]), y).backward()
        adam.step()

    return rounds(batch)


def student():
    k = len(HORIZONS)
    x = torch.randn(STEPS, BATCH, INPUTS)
    samples = torch.randn(STEPS + HORIZONS[-1], BATCH)
    ahead = torch.stack([samples[h : h + STEPS] for h in HORIZONS], dim=-1)
    lstm, head = torch.nn.LSTM(INPUTS, HIDDEN), torch.nn.Linear(HIDDEN, 3 * k)
    parameters = [*lstm.parameters(), *head.parameters()]
    adam = torch.optim.Adam(parameters, fused=True)
    positive = torch.nn.functional.softplus

    def batch():
        adam.zero_grad()
        states, _ = lstm(x)
        location, scale, tail = head(states).split(k, dim=-1)
        forecast = torch.distributions.StudentT(
            positive(tail) + 2.0, location, positive(scale) + 0.001, validate_args=False
        )
        (-forecast.log_prob(ahead)).mean().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()

    return rounds(batch)


print("plain", *plain())
print("student", *student())
