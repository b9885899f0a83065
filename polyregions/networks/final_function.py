"""The last function of a classifier, where a loader left it out.

A network ends in an affine map. A Softmax or a Sigmoid behind it is not piecewise linear, so loaders take it off and
leave its name on the network. Whatever asks which output is the largest may ignore it. Whatever looks at the outputs'
*values* may not: it either translates its question to the values in front of the function, or refuses it.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

FinalFunction: TypeAlias = Literal["Softmax", "LogSoftmax", "Sigmoid", "ArgMax"]
"""Softmax, LogSoftmax and ArgMax run over all outputs, Sigmoid acts on each."""

FINAL_FUNCTIONS: Final[tuple[FinalFunction, ...]] = ("Softmax", "LogSoftmax", "Sigmoid", "ArgMax")
