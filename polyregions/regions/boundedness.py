"""Which regions are bounded, decided exactly by their recession cones."""

from __future__ import annotations

import numpy as np

from polyregions._types import Bools
from polyregions.polyhedra.solid import recession_cone_is_trivial
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet


def bounded_regions(regions: RegionSet) -> Bools:
    """Whether each region (R,) is bounded; without any computation where the input set is.

    Complexity: one exact linear program for each region of an unbounded set with more rows than dimensions.
    """
    if regions.problem.solid.bounds.are_finite:
        return np.ones(len(regions), dtype=np.bool_)
    forms = RegionForms(regions)
    return np.array([_is_bounded(forms, i) for i in range(len(regions))], dtype=np.bool_)


def _is_bounded(forms: RegionForms, i: int) -> bool:
    """By the rows that imply all others; the region is not empty, so its cone does not depend on their constants."""
    regions = forms.regions
    n_rows = len(regions.problem.solid.forms) + int(np.count_nonzero(regions.cuts[i]))
    if n_rows <= regions.dim:  # a cone with no more rows than dimensions holds more than 0
        return regions.dim == 0
    return recession_cone_is_trivial([form.exact() for form in forms.bounding(i)], regions.dim)
