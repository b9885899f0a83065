"""All faces of a small network's complex by their definition: every sign vector, tried one neuron after another."""

from __future__ import annotations

from typing import Any, TypeAlias

import naive

Cell: TypeAlias = tuple[list[naive.Row], tuple[int, ...]]


def cells(layers: Any, lower: int, upper: int, d: int) -> list[Cell]:
    """The faces in a cube as rows and signs: those of the cube's 2d walls (0 or 1), then those of the neurons."""
    walls = [
        ([int(i == j) * s for j in range(d)], -b * s) for i in range(d) for s, b in ((1, lower), (-1, upper))
    ]
    found: list[Cell] = [([], ())]
    for form in walls:
        found = [cell for known in found for cell in extended(known, form, (1, 0), d)]
    for n in range(sum(naive.relu_sizes(layers, False))):
        found = [
            cell
            for known in found
            for cell in extended(known, neuron(layers, known[1][2 * d :], n), (1, 0, -1), d)
        ]
    return found


def neuron(layers: Any, signs: tuple[int, ...], n: int) -> naive.Form:
    """The form of neuron n where those before it have the given signs; what follows a zero does not matter."""
    return naive.unroll(layers, tuple(int(sign > 0) for sign in signs))[0][n]


def extended(known: Any, form: Any, signs: tuple[int, ...], d: int) -> list[Any]:
    rows, before = known
    weight, bias = form
    minus = [-w for w in weight]
    options = {
        1: [naive.make_row(minus, bias, strict=True)],
        0: [naive.make_row(minus, bias, strict=False), naive.make_row(weight, -bias, strict=False)],
        -1: [naive.make_row(weight, -bias, strict=True)],
    }
    cells = [([*rows, *options[sign]], (*before, sign)) for sign in signs]
    return [cell for cell in cells if naive.find_point(cell[0], d) is not None]
