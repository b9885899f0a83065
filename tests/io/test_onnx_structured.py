"""ONNX models that are well-formed protobufs and nonsense as graphs: read, or refused by one kind of error."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from onnx_models import helper, model
from polyregions.errors import InputError
from polyregions.io.models.onnx.operators import OPERATORS
from polyregions.io.models.onnx.read import network_of_onnx

EXAMPLES = 1500
NUMBERS = [-(2**63), -(2**31), -7, -2, -1, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 2**31, 2**62]
SHAPES = [[], [1], [3], [1, 4], [2, 3], [1, 2, 3], [1, 1, 4, 4], [1, 2, 3, 3], [2, 1, 4], [1, 0], [1] * 33]


def random_model(seed: int) -> Any:
    """A few random operators with random attributes, taking random tensors, some of them constants of any kind."""
    rng = random.Random(seed)
    given_ = {f"c{i}": constant(rng) for i in range(rng.randint(1, 4))}
    names, nodes = ["x", *given_], []
    for i in range(rng.randint(1, 5)):
        op = rng.choice([*OPERATORS, *OPERATORS, "Softmax", "ArgMax", "Sigmoid", "Tanh"])
        inputs = [rng.choice(["x", names[-1], rng.choice([*names, ""])]) for _ in range(rng.randint(0, 4))]
        outputs = [f"t{i}", f"s{i}"][: rng.choice([1, 1, 1, 2])]
        nodes.append(helper.make_node(op, inputs, outputs, **attributes(rng, op)))
        names += outputs
    m = model(nodes, rng.choice(SHAPES), given_, opset=rng.randint(6, 21))
    m.graph.output[0].name = rng.choice([names[-1], nodes[-1].output[0], rng.choice(names)])
    return m


def constant(rng: random.Random) -> Any:
    shape = rng.choice(SHAPES[:-2])
    if rng.random() < 0.5:
        return np.array([rng.choice(NUMBERS) for _ in range(int(np.prod(shape)))], dtype=np.int64).reshape(
            shape
        )
    dtype = rng.choice(["f4", "f8", "f2"])
    return np.array([rng.choice([0, 1, -1, 0.5, 3.25]) for _ in range(int(np.prod(shape)))], dtype).reshape(
        shape
    )


def attributes(rng: random.Random, op: str) -> dict[str, Any]:
    known = sorted(OPERATORS[op][1]) if op in OPERATORS else ["axis", "keepdims"]
    chosen = rng.sample(known, rng.randint(0, len(known)))
    return {name: attribute(rng, name) for name in chosen}


def attribute(rng: random.Random, name: str) -> Any:
    if name == "kernel_shape" and rng.random() < 0.8:
        return [rng.randint(1, 3) for _ in range(rng.choice([1, 2, 2]))]
    if name == "value":
        return helper.make_tensor("", 1, [1], [rng.choice([0.0, 2.0])])
    if name == "auto_pad":
        return rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", "?"])
    if name == "mode":
        return rng.choice(["nearest", "constant", "edge", "reflect", "wrap", "DCR", "CRD", "linear"])
    many = [rng.choice(NUMBERS) for _ in range(rng.randint(0, 4))]
    return rng.choice([rng.choice(NUMBERS), many or [1], rng.choice([0.0, 0.5, -1.0, 1e38]), "text"])


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_random_graphs_load_or_are_refused(seed: int) -> None:
    read(seed)


def read(seed: int) -> bool:
    """Whether the model of a seed loads."""
    try:
        network_of_onnx(random_model(seed).SerializeToString(), "m.onnx", "m.onnx")
    except InputError as error:
        assert str(error)
        return False
    return True
