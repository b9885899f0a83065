"""The network as a table of local linear models: where, which affine map, which class, how much of the inputs.

A line of the table is a region, or a piece: regions with the same map that are connected through facets.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.counting.merged import merged_regions
from polyregions.analysis.decisions import decision_cells
from polyregions.analysis.decisions.outputs import chosen_rule, exact_scores
from polyregions.errors import InputError, MissingExtraError, OptionError, expect
from polyregions.exact.affine import IntegerAffine
from polyregions.exact.numbers import dot
from polyregions.read_only import ReadOnly
from polyregions.regions.maps import output_maps
from polyregions.regions.region_set import RegionSet
from polyregions.regions.volumes import region_volumes

CLASSES = ("point", "whole")
NO_CLASS = -1


@dataclass(frozen=True, eq=False)
class LocalModels(ReadOnly):
    """One local model a line, in the order of the first region of each.

    Attributes:
        region: (K,) the region, or the first region of the piece.
        size: (K,) how many regions it consists of.
        coefficients: (K, c, d) float64, the nearest floats of the exact map.
        bias: (K, c) float64.
        label: (K,) the class, see `local_models`; -1 where there is none.
        share: (K,) its share of the domain's volume or of the data; NaN where neither is known.
        model_of: (R,) the line of each region.
    """

    region: Ints
    size: Ints
    coefficients: Floats
    bias: Floats
    label: Ints
    share: Floats
    model_of: Ints

    def __len__(self) -> int:
        return len(self.region)

    def __repr__(self) -> str:
        return f"<LocalModels: {len(self)} models of {len(self.model_of)} regions>"

    @property
    def columns(self) -> list[str]:
        """Names of the columns of the table: for output i and input j ``a_i_j``, and ``b_i`` for the bias."""
        _, c, d = self.coefficients.shape
        maps = [f"a_{i}_{j}" for i in range(c) for j in range(d)] + [f"b_{i}" for i in range(c)]
        return ["region", "size", "class", "share", *maps]

    def rows(self) -> list[list[int | float]]:
        """The lines of the table as Python numbers."""
        heads = zip(
            self.region.tolist(), self.size.tolist(), self.label.tolist(), self.share.tolist(), strict=True
        )
        maps = np.concatenate([self.coefficients.reshape(len(self), -1), self.bias], axis=1).tolist()
        return [[*head, *row] for head, row in zip(heads, maps, strict=True)]

    def to_csv(self) -> str:
        """The table as comma-separated text with a line of names; floats are written so that they read back equal."""
        out = StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows())
        return out.getvalue()

    def to_pandas(self) -> Any:
        """The table as a `pandas.DataFrame`.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("pandas", "pandas", "a table of local models as a DataFrame") from None
        return pd.DataFrame(self.rows(), columns=self.columns)


def local_models(
    regions: RegionSet,
    data: Any = None,
    *,
    merged: bool = False,
    classes: str = "point",
    rule: str = "auto",
) -> LocalModels:
    """The local linear models of a network, with the class of each and its share of the volume or of some data.

    Args:
        regions: the regions.
        data: (n, d) points; then the share is the part of them in each region (points outside the domain count for
            none, so shares may sum to less than 1). Without data, it is the part of the domain's volume: from float64
            volumes, for display; NaN on unbounded domains.
        merged: whether connected regions with one map are one line.
        classes: "point" for the class (the lowest of equal ones) at an interior point of the (first) region, found
            exactly; "whole" for the class that wins everywhere in it, -1 where several do.
        rule: how outputs decide, as in `decision_cells`: "argmax", "argmin", "sign" (of one output), or "auto" for
            the sign of one output and the largest of several.

    Raises:
        InputError: the data are not points of d numbers, or none; merged, and the set is partial.
        OptionError: another value of `classes`, or a rule that is none or does not fit the network.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [-1, -1]), ([[1, 0], [0, 1]], [0, 0])])
    >>> table = pr.local_models(pr.enumerate_regions(net, pr.Box([-3], [5])))
    >>> print(table.to_csv(), end="")
    region,size,class,share,a_0_0,a_1_0,b_0,b_1
    0,1,0,0.25,0.0,0.0,0.0,0.0
    1,1,1,0.25,0.0,-1.0,0.0,-1.0
    2,1,0,0.5,1.0,0.0,-1.0,0.0
    """
    expect(regions, RegionSet, "regions")
    if classes not in CLASSES:
        raise OptionError(f"classes {classes!r}, expected one of {', '.join(CLASSES)}")
    regions.network.check_values_are_outputs("a table of local models")
    rule = chosen_rule(regions.network, rule)
    model_of = merged_regions(regions) if merged else np.arange(len(regions), dtype=np.int64)
    firsts, sizes = np.unique(model_of, return_index=True, return_counts=True)[1:]
    maps, label = _maps_and_classes(regions, firsts, rule)
    if classes == "whole":
        label = _everywhere(regions, model_of, rule)
    share = np.zeros(len(firsts))
    np.add.at(share, model_of, _shares(regions, data))
    return LocalModels(
        firsts.astype(np.int64),
        sizes.astype(np.int64),
        maps[:, :, :-1],
        maps[:, :, -1],
        label,
        share,
        model_of,
    )


def _maps_and_classes(regions: RegionSet, firsts: Ints, rule: str) -> tuple[Floats, Ints]:
    """The maps (K, c, d+1) of some regions, and the classes (K,) at their interior points."""
    wanted = set(firsts.tolist())
    lift = regions.problem.solid.hull.lift
    shape = (len(firsts), regions.network.n_outputs, regions.network.n_inputs + 1)
    nearest, labels = np.zeros(shape), np.full(len(firsts), NO_CLASS, dtype=np.int64)
    found = ((i, m) for i, m in enumerate(output_maps(regions)) if i in wanted)
    for line, (i, affine) in enumerate(found):
        nearest[line] = affine.nearest_floats()
        labels[line] = _winner(affine, rule, lift(regions.local_point(i)).integers)
    return nearest, labels


def _winner(affine: IntegerAffine, rule: str, point: list[int]) -> int:
    values = [dot(row, point) for row in exact_scores(rule, affine)]
    return values.index(max(values)) if values else NO_CLASS


def _everywhere(regions: RegionSet, model_of: Ints, rule: str) -> Ints:
    """The class that wins in all cells of all regions of a line."""
    cells = decision_cells(regions, rule)
    line, label = model_of[cells.region], np.asarray(cells.label)
    lowest = np.full(model_of.max(initial=-1) + 1, np.iinfo(np.int64).max)
    highest = np.full_like(lowest, NO_CLASS)
    np.minimum.at(lowest, line, label)
    np.maximum.at(highest, line, label)
    return np.where(lowest == highest, highest, NO_CLASS)


def _shares(regions: RegionSet, data: Any) -> Floats:
    """The share (R,) of each region."""
    if data is not None:
        located = regions.locate(data)
        if not len(located):
            raise InputError("local models: no points in the data, expected at least one")
        found: Floats = np.bincount(located[located >= 0], minlength=len(regions)) / len(located)
        return found
    if not regions.problem.solid.bounds.are_finite:
        return np.full(len(regions), np.nan)
    volumes = region_volumes(regions)
    shares: Floats = volumes / volumes.sum()
    return shares
