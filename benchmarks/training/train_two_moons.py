"""Train the bundled two-moons classifier and write it to ``polyregions/io/models/data/two-moons.npz``.

The network is 2-16-16-2 with ReLU between the layers, trained with numpy alone: full-batch Adam
on softmax cross-entropy, in float64, from a fixed seed. The final weights are rounded to float32
and stored as W1, b1, W2, b2, W3, b3, where a layer computes ``y = W x + b`` (W is out by in).
The accuracies printed are those of the rounded weights.

Run from anywhere:

    python benchmarks/training/train_two_moons.py [OUTPUT.npz]

The archive holds no clock time, so two runs on one machine write the same bytes. Another numpy,
BLAS or zlib build may differ in the last bits, and so in the checksum.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Params = list[Floats]  # [W1, b1, W2, b2, W3, b3]

OUTPUT = Path(__file__).resolve().parents[2] / "polyregions" / "io" / "models" / "data" / "two-moons.npz"
NAMES = ("W1", "b1", "W2", "b2", "W3", "b3")
WIDTHS = (2, 16, 16, 2)
SEED = 20240
TRAIN_POINTS, TEST_POINTS = 2000, 2000
NOISE = 0.12
STEPS = 2000
LEARNING_RATE = 0.01
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def two_moons(count: int, rng: np.random.Generator) -> tuple[Floats, Labels]:
    """Return noisy points on two interleaving half circles (class 0 above, class 1 below)."""
    labels = np.arange(count, dtype=np.int64) % 2
    angle = rng.uniform(0.0, np.pi, count)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1.0 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    clean = np.where(labels[:, None] == 0, upper, lower)
    return clean + rng.normal(0.0, NOISE, clean.shape), labels


def initial_params(rng: np.random.Generator) -> Params:
    """Return He-initialised weights and small random biases."""
    params: Params = []
    for fan_in, fan_out in zip(WIDTHS[:-1], WIDTHS[1:], strict=True):
        params.append(rng.normal(0.0, np.sqrt(2.0 / fan_in), (fan_out, fan_in)))
        params.append(rng.normal(0.0, 0.1, fan_out))
    return params


def forward(params: Params, points: Floats) -> list[Floats]:
    """Return the input of every layer, one row per point, followed by the logits."""
    values = [points]
    for index in range(0, len(params), 2):
        linear = values[-1] @ params[index].T + params[index + 1]
        is_last = index == len(params) - 2
        values.append(linear if is_last else np.maximum(linear, 0.0))
    return values


def softmax(logits: Floats) -> Floats:
    """Return row-wise class probabilities."""
    powers: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Floats = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def gradients(params: Params, points: Floats, labels: Labels) -> Params:
    """Return the gradient of the mean cross-entropy, in the order of ``params``."""
    values = forward(params, points)
    delta = (softmax(values[-1]) - np.eye(WIDTHS[-1])[labels]) / len(points)
    result: Params = []
    for layer in reversed(range(len(params) // 2)):
        result = [delta.T @ values[layer], delta.sum(axis=0), *result]
        delta = (delta @ params[2 * layer]) * (values[layer] > 0.0)
    return result


@dataclass
class Adam:
    """Adam with the usual constants; ``update`` changes the parameters in place."""

    mean: Params
    square: Params
    steps: int = 0

    @classmethod
    def for_params(cls, params: Params) -> Adam:
        """Return an optimiser whose moments are zero."""
        return cls([np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params])

    def update(self, params: Params, grads: Params, rate: float) -> None:
        """Take one step of size about ``rate``."""
        self.steps += 1
        for param, grad, mean, square in zip(params, grads, self.mean, self.square, strict=True):
            mean += 0.1 * (grad - mean)
            square += 0.001 * (grad * grad - square)
            scale = np.sqrt(square / (1.0 - 0.999**self.steps)) + 1e-8
            param -= rate * (mean / (1.0 - 0.9**self.steps)) / scale


def train(points: Floats, labels: Labels, rng: np.random.Generator) -> Params:
    """Return parameters fitted with a linearly decaying learning rate."""
    params = initial_params(rng)
    adam = Adam.for_params(params)
    for step in range(STEPS):
        adam.update(params, gradients(params, points, labels), LEARNING_RATE * (1.0 - step / STEPS))
    return params


def accuracy(params: Params, points: Floats, labels: Labels) -> float:
    """Return the fraction of points whose largest logit is that of their label."""
    return float(np.mean(forward(params, points)[-1].argmax(axis=1) == labels))


def archive_bytes(arrays: dict[str, NDArray[np.float32]]) -> bytes:
    """Return a compressed npz archive whose bytes depend only on the arrays."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", ZIP_DATE)
            info.create_system = 3  # otherwise it records the host's system
            archive.writestr(info, member.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def main(output: Path = OUTPUT) -> None:
    """Train, report and save."""
    rng = np.random.default_rng(SEED)
    train_set, test_set = two_moons(TRAIN_POINTS, rng), two_moons(TEST_POINTS, rng)
    rounded = [param.astype("<f4") for param in train(*train_set, rng)]
    stored = [param.astype(np.float64) for param in rounded]
    data = archive_bytes(dict(zip(NAMES, rounded, strict=True)))
    output.write_bytes(data)
    both = np.concatenate([train_set[0], test_set[0]])
    print(f"data range         {both.min(axis=0).round(3)} to {both.max(axis=0).round(3)}")
    print(f"train accuracy     {accuracy(stored, *train_set):.4f}")
    print(f"held-out accuracy  {accuracy(stored, *test_set):.4f}")
    print(f"bytes              {len(data)}")
    print(f"sha256             {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
