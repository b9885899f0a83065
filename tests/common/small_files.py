"""Small files of each format."""

from __future__ import annotations

NNET = "2,2,1,2,\n2,2,1,\n0\n0\n0\n0\n0\n1,2,\n3,4,\n0,\n1,\n1,-1,\n0.5,\n"


PROPERTY = "(declare-const X_0 Real)(assert (<= X_0 1))(assert (>= X_0 -1))"
