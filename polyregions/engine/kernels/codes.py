"""Numbers that kernels and Python say things with to each other; plain ones, so that reading them needs no numba."""

from __future__ import annotations

from typing import Final

# Answers to "does this hyperplane cut the cell?"
OFF: Final = 0
ON: Final = 1
CUT: Final = 2
UNDECIDED: Final = 3
KEEP_OFF: Final = 4  # given only: a cut whose on side is taken care of elsewhere
KEEP_ON: Final = 5  # given only: a cut whose off side is taken care of elsewhere
PROVED: Final = 6  # by a walk: there is nothing on the side it looked for
NO_ANSWER: Final = -1  # none was given

# Why the machine came back to Python.
DONE: Final = 0
FULL: Final = 1  # the leaf buffer has to be emptied
QUESTION: Final = 2  # the current neuron has to be decided exactly
LEAF: Final = 3  # the current leaf has to be decided exactly
GO_ON: Final = -1  # it did not: inside the machine only

# What the machine does next.
CLASSIFY: Final = 0
SPLIT: Final = 1
EMIT: Final = 2
POP: Final = 3

# Places in `Work.registers`.
DEPTH: Final = 0
MODE: Final = 1
UNIT: Final = 2
ANSWER: Final = 3
N_LEAVES: Final = 4
N_FOUND: Final = 5
N_REGISTERS: Final = 6

# Sources of rows, in place of a neuron.
DOMAIN: Final = -1  # the row belongs to the domain

# How a walk ended.
REACHED: Final = 1  # it is beyond its goal
BLOCKED: Final = 2  # at an optimum
STUCK: Final = 3  # it gave up
ENDLESS: Final = 4  # of a climb: t grows along a column for ever

# Answers to "does this hyperplane cross the flat?", and instead of a count of regions.
GIVEN_UP: Final = -1  # not proved
MISSES: Final = 0
CROSSES: Final = 1

# Answers to "do these rows leave a point?"
NOTHING: Final = 0  # proved: no point
HERE: Final = 1  # proved: the point that was given
ELSEWHERE: Final = 2  # proved: the point that was found
OPEN: Final = 3  # for exact arithmetic to decide

# Answers to "is this row a facet?"
NO_FACET: Final = 0
FACET: Final = 1
UNCLEAR: Final = -1  # for exact arithmetic to decide

# What a scan says in place of a region or a neuron.
WALL: Final = -1  # in place of a region: nothing is beyond
WHOLE_REGION: Final = -1  # in place of a neuron: all rows of the region have to be looked at exactly
