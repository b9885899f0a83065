"""How many regions several networks have, by each definition, beside the bounds of the literature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from polyregions.analysis.counting.count import Count, count_by_definition, wanted_definitions
from polyregions.analysis.counting.definitions import DEFINITIONS
from polyregions.analysis.counting.literature_bounds import Bound, bounds_of, wanted_bounds
from polyregions.analysis.paper_table import BETWEEN, NOTHING, PaperColumn, PaperTable, Rounding
from polyregions.certificates.check import described
from polyregions.engine.options import RunOptions
from polyregions.errors import InputError, NetworkError, OptionError, StoppedError
from polyregions.networks.network import Network
from polyregions.networks.problem import pose
from polyregions.polyhedra.domain import Box, Domain
from polyregions.progress import ProgressFunction
from polyregions.read_only import ReadOnly
from polyregions.regions.collect import enumerate_in_memory
from polyregions.regions.region_set import RegionSet

USUAL_BOUNDS: Final = ("trivial", "montufar_2017_upper", "serra_2018_upper", "serra_ramalingam_2020")
"""The upper bounds that most papers print."""

ROUNDINGS: Final[dict[str, Rounding]] = {"upper": "up", "lower": "down", "heuristic": "nearest"}
"""Which way a bound is rounded, so that it stays one."""

MOST_WORDS: Final = 160  # characters of an input set in a note


@dataclass(frozen=True, eq=False)
class CountTable(PaperTable, ReadOnly):
    """Counts of the regions of K networks, and bounds on them.

    Attributes:
        names: K names.
        networks: K networks.
        domains: K input sets.
        counts: name of each definition -> K counts, of "R3" pairs where only bounds on it are known.
        bounds: name of each bound -> K bounds.
        left_out: names of networks for which a run that was stopped had no time.
    """

    names: tuple[str, ...]
    networks: tuple[Network, ...]
    domains: tuple[Domain, ...]
    counts: Mapping[str, tuple[Count, ...]]
    bounds: Mapping[str, tuple[Bound, ...]]
    left_out: tuple[str, ...] = ()

    @property
    def has_one_input_set(self) -> bool:
        """Whether all counts are on one input set."""
        return len(set(map(input_set_text, self.domains))) <= 1

    def paper_columns(self) -> list[PaperColumn]:
        """The columns: ``network``, ``input_set`` (if there are several), ``widths``, ``neurons``, counts, bounds."""
        sets = PaperColumn("input_set", [input_set_text(d) for d in self.domains], "input set")
        return [
            PaperColumn("network", self.names, "network"),
            *([] if self.has_one_input_set else [sets]),
            PaperColumn("widths", [widths_text(network) for network in self.networks], "widths"),
            PaperColumn("neurons", [network.n_neurons for network in self.networks], "neurons"),
            *count_columns(self.counts),
            *bound_columns(self.bounds),
        ]

    def notes(self) -> list[str]:
        """What was counted where, and whose bounds these are."""
        where = (
            [f"Counts {input_set_text(self.domains[0])}."] if self.names and self.has_one_input_set else []
        )
        left = [f"The run was stopped; left out: {', '.join(self.left_out)}."] if self.left_out else []
        return [*left, *where, *count_notes(self.counts), *bound_notes(self.bounds)]

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<CountTable: {len(self)} networks, {', '.join([*self.counts, *self.bounds])}>"


@dataclass(frozen=True, eq=False)
class CountRow:
    """One network of a table.

    Attributes:
        name: how the table calls it.
        network: the network.
        domain: the input set.
        counts: the count by each definition.
    """

    name: str
    network: Network
    domain: Domain
    counts: Mapping[str, Count]


def count_table(
    networks: Mapping[str, Network] | Iterable[Network],
    domain: Domain | Mapping[str, Domain],
    *,
    definitions: Iterable[str] | str = tuple(DEFINITIONS),
    bounds: Iterable[str] | str = USUAL_BOUNDS,
    engine: str = "auto",
    progress: ProgressFunction | None = None,
) -> CountTable:
    """Count the regions of several networks by several definitions, as one table with bounds of the literature.

    One set of regions is held at a time. `save` writes the table as ``.tex``, ``.md``, ``.csv`` or ``.json``; there
    and in `CountTable.to_latex` and `to_markdown` counts are exact, and bounds of more than nine digits are rounded in
    the direction that leaves them bounds, unless ``exact=True``.

    Args:
        networks: name -> network, or networks, which are called by their own names if these differ.
        domain: the input set, or one for each name.
        definitions: some of "R1" to "R6"; R1, R3 and R5 can take much longer than the others.
        bounds: names as in `polyregions.bounds`.
        engine: as in `enumerate_regions`.
        progress: called now and then with a `Progress` of the network at hand; returning False stops.

    Raises:
        NetworkError: no networks, or something that is none.
        OptionError: an unknown definition or bound, or names without an input set.
        DomainError: an input set that is empty or of another dimension.
        StoppedError: `progress` returned False.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, -1]], [0])])
    >>> table = pr.count_table(
    ...     {"line": net}, pr.WholeSpace(1), definitions=("R1", "R2", "R6"), bounds=("zaslavsky",)
    ... )
    >>> for line in table.to_markdown().splitlines()[:3]:
    ...     print(line)
    | network | widths | neurons | R1 | R2 | R6 | upper bounds: Zaslavsky 1975 |
    | --- | --- | ---: | ---: | ---: | ---: | ---: |
    | line | 1-2-1 | 2 | 3 | 2 | 1 | 3 |
    """
    wanted, limits = wanted_definitions(definitions), wanted_bounds(bounds)
    named = named_networks(networks)
    domains = _domains(domain, list(named))
    rows = []
    for name, network in named.items():
        regions = enumerate_in_memory(pose(network, domains[name]), RunOptions(engine, progress=progress))
        if not regions.complete:
            raise StoppedError(f"stopped while listing the regions of {name}")
        rows.append(count_row(name, regions, wanted, progress))
    return table_of(rows, wanted, limits)


def count_row(
    name: str, regions: RegionSet, definitions: Sequence[str], progress: ProgressFunction | None = None
) -> CountRow:
    """The row of a network whose regions are known.

    Raises:
        InputError: the set of regions is not complete.
        StoppedError: `progress` returned False.
    """
    counts = count_by_definition(regions, definitions, progress=progress)
    return CountRow(name, regions.network, regions.domain, counts)


def table_of(
    rows: Sequence[CountRow], definitions: Sequence[str], bounds: Sequence[str], left_out: Iterable[str] = ()
) -> CountTable:
    """The table of some rows; definitions and bounds in the order in which they are shown."""
    known = [bounds_of(row.network) for row in rows]
    return CountTable(
        tuple(row.name for row in rows),
        tuple(row.network for row in rows),
        tuple(row.domain for row in rows),
        {name: tuple(row.counts[name] for row in rows) for name in definitions},
        {name: tuple(found[name] for found in known) for name in bounds},
        tuple(left_out),
    )


def named_networks(networks: Mapping[str, Network] | Iterable[Network]) -> dict[str, Network]:
    """Networks by name.

    Raises:
        NetworkError: none at all, or something that is none.
    """
    if not isinstance(networks, Iterable):
        raise InputError(f"networks: {type(networks).__name__}, expected Networks, as in a list or by name")
    pairs = list(networks.items()) if isinstance(networks, Mapping) else [(None, n) for n in networks]
    for i, (name, network) in enumerate(pairs):
        if not isinstance(network, Network):
            raise NetworkError(f"network {name or i}: {type(network).__name__}, expected a Network")
    if not pairs:
        raise NetworkError("count_table: no networks, expected at least one")
    given = [network.name if name is None else str(name) for name, network in pairs]
    names = given if len(set(given)) == len(given) else [f"{name} ({i})" for i, name in enumerate(given)]
    return dict(zip(names, (network for _, network in pairs), strict=True))


def _domains(domain: Domain | Mapping[str, Domain], names: Sequence[str]) -> dict[str, Domain]:
    if not isinstance(domain, Mapping):
        return dict.fromkeys(names, domain)
    missing = [name for name in names if name not in domain]
    if missing:
        raise OptionError(
            f"domain: nothing for {missing[0]!r}, expected an input set for each of the networks"
        )
    return {name: domain[name] for name in names}


# ---------------------------------------------------------------- columns and notes


def count_columns(counts: Mapping[str, Sequence[Any]]) -> list[PaperColumn]:
    """A column for each definition."""
    return [PaperColumn(name, values, name, "regions", None, name == "R3") for name, values in counts.items()]


def bound_columns(bounds: Mapping[str, Sequence[Bound]]) -> list[PaperColumn]:
    """A column for each bound, those of a kind side by side."""
    kinds = {"upper": "upper bounds", "lower": "reached by the best weights", "heuristic": "heuristic"}
    columns = [
        (name, values)
        for kind in kinds
        for name, values in bounds.items()
        if values and values[0].kind == kind
    ]
    return [
        PaperColumn(
            name, [b.value for b in values], values[0].title, kinds[values[0].kind], ROUNDINGS[values[0].kind]
        )
        for name, values in columns
    ]


def count_notes(counts: Mapping[str, Sequence[Any]]) -> list[str]:
    """What the definitions mean that were counted by."""
    if not counts:
        return []
    titles = "; ".join(f"{name}: {DEFINITIONS[name].title}" for name in counts)
    pairs = any(isinstance(value, tuple) for values in counts.values() for value in values)
    between = f" Of a{BETWEEN}b it is only known that it lies between." if pairs else ""
    return [f"{titles} (definitions of Stargalla, Hertrich, Reichman 2025).{between}"]


def bound_notes(bounds: Mapping[str, Sequence[Bound]]) -> list[str]:
    """What the bounds bound, and what it means if there is none."""
    if not bounds:
        return []
    missing = any(bound.value is None for values in bounds.values() for bound in values)
    return [
        "Bounds are for R2 on all inputs." + f" {NOTHING}: the conditions of the bound do not hold." * missing
    ]


def widths_text(network: Network) -> str:
    """Inputs, neurons of each layer and outputs: 2-16-16-3."""
    return "-".join(str(n) for n in (network.n_inputs, *network.widths, network.n_outputs))


def input_set_text(domain: Domain) -> str:
    """An input set as papers write it, shortened if it is long.

    >>> input_set_text(Box.cube(-1, 1, 5)), input_set_text(Box([0, -1], [2, 1]))
    ('on [-1, 1]^5', 'on [0, 2] x [-1, 1]')
    """
    text = _box_text(domain) if isinstance(domain, Box) else described(domain)
    return text if len(text) <= MOST_WORDS else f"{text[: MOST_WORDS - 1]}…"


def _box_text(box: Box) -> str:
    sides = [f"[{_end(a)}, {_end(b)}]" for a, b in zip(*box.ends(), strict=True)]
    is_cube = len(sides) > 1 and len(set(sides)) == 1
    return f"on {sides[0]}^{len(sides)}" if is_cube else f"on {' x '.join(sides)}"


def _end(value: Any) -> str:
    """An end of an interval: floats in as many digits as they have."""
    return str(int(value)) if abs(value) < 2**53 and value == int(value) else str(value)
