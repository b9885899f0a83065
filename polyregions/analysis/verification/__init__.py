"""Verdicts: does a network have a property?

`watched` folds a property into the network, `attack` looks for a violation at points, `search` proves that there is
none or finds one: it splits the input set until `relaxation` and `program` prove a part free of violations, or the
network is affine on it and `leaf` decides. `scan` looks at all regions where floats can bound nothing. `unsafe`
has all violations instead of one.
"""

from polyregions.analysis.verification.run import verify
from polyregions.analysis.verification.verdict import Counterexample, Verification

__all__ = ["Counterexample", "Verification", "verify"]
