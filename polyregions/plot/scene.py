"""Everything that pictures of one set of regions are made of, each part computed once and only if asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.decisions import DecisionCells, decision_boundary, decision_cells
from polyregions.analysis.decisions.outputs import chosen_rule
from polyregions.plot.palette import few_colours, prefix_colours, prefix_groups
from polyregions.plot.polygons import Polygons
from polyregions.plot.sections import PlaneSection, cell_polygons, plane_section
from polyregions.plot.segments import Segments, boundary_segments, edge_layers, edge_segments
from polyregions.regions.adjacency import Adjacency
from polyregions.regions.chunks import chunks
from polyregions.regions.facets import Facets, facet_arrays
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet

CLOSE: Final = 1e-10
"""Relative error of the coefficients that pictures and pages show."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A section with what can be drawn on it.

    Attributes:
        section: the polygons.
        rule: how outputs become classes: "argmax", "argmin" or "sign".
    """

    section: PlaneSection
    rule: str

    @classmethod
    def of(cls, regions: RegionSet, rule: str, view: tuple[Any, Any] | None) -> Scene:
        """The scene of a two-dimensional set of regions; the rule may be "auto".

        Raises:
            InputError: the input set is not two-dimensional.
            OptionError: the view is none, or the rule is none or does not fit the network.
        """
        return cls(plane_section(regions, view), chosen_rule(regions.network, rule))

    @property
    def regions(self) -> RegionSet:
        """The regions."""
        return self.section.regions

    @cached_property
    def facets(self) -> Facets:
        """All facets, between regions and on the boundary of the domain."""
        return facet_arrays(self.regions)

    @property
    def adjacency(self) -> Adjacency:
        """The edges of the adjacency graph."""
        return self.facets.adjacency

    @cached_property
    def edges(self) -> Segments:
        """Where the edges' facets are."""
        return edge_segments(self.section, self.adjacency)

    @cached_property
    def edge_layers(self) -> Ints:
        """The layer (E,) that made each edge."""
        return edge_layers(self.regions, self.adjacency)

    @cached_property
    def layer_colours(self) -> list[Ints]:
        """For each number of layers, from 0 to all, a small natural number (R,) for each region: different for
        neighbours that these layers tell apart, the same where they do not."""
        ends = [0, *(end for _, end in self.regions.network.layer_spans)]
        groups = [prefix_groups(self.regions.patterns, end) for end in ends]
        return [prefix_colours(group, self.adjacency) for group in groups]

    @cached_property
    def shades(self) -> Ints:
        """The same for all layers with as few numbers as a simple rule finds, for shades of one colour."""
        return few_colours(len(self.regions), self.adjacency.source, self.adjacency.target)

    @cached_property
    def cells(self) -> DecisionCells:
        """The decision cells."""
        return decision_cells(self.regions, self.rule)

    @cached_property
    def cell_polygons(self) -> Polygons:
        """The decision cells as polygons."""
        return cell_polygons(self.section, self.cells)

    @cached_property
    def boundary(self) -> Segments:
        """The decision boundary."""
        return boundary_segments(self.section, self.cell_polygons, decision_boundary(self.cells))

    @cached_property
    def maps(self) -> Floats:
        """The affine map (R, c, k+1) of each region over the coordinates u, the constant last; see `local_maps`."""
        return local_maps(self.regions)


def local_maps(regions: RegionSet) -> Floats:
    """The affine map (R, c, k+1) of each region over the coordinates u of its input set.

    Right to `CLOSE` of the largest coefficient of each output: in float64 arithmetic where its error bounds show
    that, else exact and rounded once.
    """
    maps = np.zeros((len(regions), regions.network.n_outputs, regions.dim + 1))
    left = np.arange(len(regions))
    if regions.problem.is_tame:
        left = left[:0]
        for chunk in chunks(regions, np.arange(len(regions))):
            maps[chunk.numbers], error = chunk.outputs()
            close = error.max(axis=2) <= CLOSE * np.abs(maps[chunk.numbers]).max(axis=2)
            left = np.concatenate([left, chunk.numbers[~close.all(axis=1)]])
    forms, n_last = RegionForms(regions), regions.problem.layers.layers[-1].n_neurons
    for i in left.tolist():
        pattern = regions.patterns[i]
        maps[i] = forms.along(i)[-1].exact_output(pattern[len(pattern) - n_last :]).nearest_floats()
    return maps


def slope_norms(regions: RegionSet) -> Floats:
    """The norm (R,) of each affine map's matrix: of one output the length of its gradient."""
    return norms(local_maps(regions))


def norms(maps: Floats) -> Floats:
    """The Frobenius norm (R,) of the matrices of affine maps (R, c, k+1) over the coordinates u."""
    found: Floats = np.linalg.norm(maps[:, :, :-1], axis=(1, 2))
    return found
