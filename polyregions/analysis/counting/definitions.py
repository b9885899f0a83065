"""What "number of linear regions" can mean: six definitions, each in a sentence, with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_PAPER = (
    "Stargalla, Hertrich, Reichman, The Computational Complexity of Counting Linear Regions in ReLU Neural "
    "Networks, NeurIPS 2025, arXiv:2505.16716"
)


@dataclass(frozen=True)
class Definition:
    """One definition of the number of linear regions.

    Attributes:
        name: "R1" to "R6".
        title: what these regions are called.
        sentence: the definition.
        citation: where it stands.
    """

    name: str
    title: str
    sentence: str
    citation: str = _PAPER


class Definitions(Mapping[str, Definition]):
    """The six definitions by name, "R1" to "R6", with R6 <= R5 <= R4 <= R3 <= R2 <= R1.

    >>> DEFINITIONS["R2"].sentence
    'The activation regions that are full-dimensional.'
    """

    def __init__(self, *definitions: Definition) -> None:
        self._by_name = {definition.name: definition for definition in definitions}

    def __getitem__(self, name: str) -> Definition:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


DEFINITIONS: Final = Definitions(
    Definition(
        "R1",
        "activation regions",
        "The non-empty sets of inputs that have one activation pattern (a neuron is on iff z > 0), "
        "lower-dimensional sets included.",
    ),
    Definition(
        "R2",
        "proper activation regions",
        "The activation regions that are full-dimensional.",
    ),
    Definition(
        "R3",
        "convex regions",
        "The least number of full-dimensional polyhedra of a polyhedral complex such that the network is affine on "
        "each of them.",
    ),
    Definition(
        "R4",
        "open connected regions",
        "The maximal open connected sets on which the network is affine.",
    ),
    Definition(
        "R5",
        "closed connected regions",
        "The maximal closed connected sets with an interior on which the network is affine; they may go on along a "
        "lower-dimensional slice of another region.",
    ),
    Definition(
        "R6",
        "affine regions",
        "The different affine maps that the network has on full-dimensional sets.",
    ),
)
