"""The page of the census, docs/census.md, and its figures, from the table that `census.py` made.

Run with: ``python benchmarks/census_page.py`` (pyarrow and matplotlib), which reads the table in docs/census. What
is not in the table is a dash. Seconds, dates and commits come from the rows.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pyarrow import parquet

DOCS = Path(__file__).resolve().parents[1] / "docs"
BOXES = {
    "prop_3": "box of property 3",
    "prop_4": "box of property 4",
    "middle_10": "middle 10 %",
    "middle_20": "middle 20 %",
    "middle_30": "middle 30 %",
    "prop_1": "box of properties 1 and 2",
}
NETWORKS = [f"{i}_{j}" for i in range(1, 6) for j in range(1, 10)]
CLASSES = ("clear of conflict", "weak left", "weak right", "strong left", "strong right")
Row = dict[str, Any]


class Census:
    """The rows by network, box and part.

    Args:
        rows: all rows of the table.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = {(row["network"], row["box"], row["part"]): row for row in rows}

    def get(self, network: str, box: str, part: str) -> Row | None:
        """A row, None if it is not there."""
        return self.rows.get((network, box, part))

    def of(self, box: str, part: str) -> list[Row]:
        """The rows of one box, in the order of the networks."""
        return [row for name in NETWORKS if (row := self.get(name, box, part)) is not None]


def main() -> None:
    """Write figures and page."""
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", nargs="?", default=str(DOCS / "census" / "census.parquet"))
    parser.add_argument("-o", "--output", default=str(DOCS), help="folder of census.md and images/")
    arguments = parser.parse_args()
    census, folder = Census(parquet.read_table(arguments.table).to_pylist()), Path(arguments.output)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    draw(census, folder / "images")
    (folder / "census.md").write_text(page(census), encoding="utf-8")


# ---------------------------------------------------------------- text


def page(census: Census) -> str:
    """The whole page."""
    parts = [
        HEAD.format(**summary(census)),
        "## Regions\n\n" + region_table(census),
        "![Regions of each network](images/census-regions.png)\n\n![Growth with the box](images/census-growth.png)",
        "## After each layer\n\n" + layer_table(census, "middle_20"),
        "## Decision cells and dead regions\n\n"
        + DECISIONS
        + decision_table(census, "prop_3")
        + "\n\n"
        + decision_table(census, "middle_10"),
        "## How it was checked\n\n" + checks(census),
        "## What each number took\n\n" + cost_table(census),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


HEAD = """\
# A census of ACAS Xu

How many linear regions do the 45 ACAS Xu networks (5 inputs, six hidden layers of 50, 5 outputs) have? These counts are
exact: each region has a point in it that was checked, and what is missing is proved empty. Regions are full-dimensional
sets of one activation pattern (definition R2 of [counting](counting.md)).

{counts} counts of {networks} networks on {boxes} boxes, {regions:,} regions in all, {seconds:,.0f} processor seconds on
a shared two-core machine with other work on it, {first} to {last}, commit {commits}. The table with every number, its
date, commit and seconds is `docs/census/census.parquet`, made by `benchmarks/census.py`; `benchmarks/census_page.py`
makes this page of it. A dash is a count that was not made.
"""

DECISIONS = """\
Cells are regions cut where another output becomes the smallest, by class. Dead regions are those in which some hidden
layer is zero, so that the network is constant.

"""


def summary(census: Census) -> dict[str, Any]:
    """Totals over the exact counts."""
    rows = [row for box in BOXES for row in census.of(box, "regions")]
    dates = sorted(row["date"][:10] for row in census.rows.values())
    return {
        "counts": len(rows),
        "networks": len({row["network"] for row in rows}),
        "boxes": len({row["box"] for row in rows}),
        "regions": sum(row["regions"] for row in rows),
        "seconds": sum(row["seconds"] for row in census.rows.values()),
        "first": dates[0],
        "last": dates[-1],
        "commits": ", ".join(sorted({row["commit"] for row in census.rows.values()})),
    }


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(row: Row | None, name: str = "regions") -> str:
    """A count, or a dash where it was not made."""
    return "–" if row is None else f"{row[name]:,}"


def region_table(census: Census) -> str:
    """A line a network."""
    there = [box for box in BOXES if census.of(box, "regions")]
    rows = [[name, *(number(census.get(name, box, "regions")) for box in there)] for name in NETWORKS]
    return table(["network", *(BOXES[box] for box in there)], rows)


def layer_table(census: Census, box: str) -> str:
    """Regions of the first one to six layers."""
    rows = [[row["network"], *(f"{count:,}" for count in row["after"])] for row in census.of(box, "regions")]
    head = ["network", *(f"layer {i}" for i in range(1, 7))]
    return f"On the {BOXES[box]}:\n\n{table(head, rows)}"


def decision_table(census: Census, box: str) -> str:
    """Cells by class, and dead regions."""
    rows = [
        [row["network"], f"{row['regions']:,}", *(f"{cells:,}" for cells in row["cells"]), f"{row['dead']:,}"]
        for row in census.of(box, "decisions")
    ]
    return f"On the {BOXES[box]}:\n\n" + table(["network", "regions", *CLASSES, "dead"], rows)


def checks(census: Census) -> str:
    """What was made a second time, or otherwise."""
    said = []
    for box, title in BOXES.items():
        again = census.of(box, "check")
        if again:
            assert all(row["equal"] for row in again)
            workers = sorted({row["workers"] for row in again})
            said.append(
                f"* {title}: {len(again)} counts once more with {workers[0]} workers, all equal, after each layer too."
            )
    proofs = [row for row in census.rows.values() if row["part"] == "certificate"]
    if proofs:
        names = ", ".join(
            f"{row['network']} ({row['regions']:,})" for row in sorted(proofs, key=lambda row: row["network"])
        )
        said.append(
            f"* {sum(bool(row['equal']) for row in proofs)} certificates of the middle 10 %, which the independent "
            f"checker accepts: {names}."
        )
    for row in [row for row in census.rows.values() if row["part"] == "halves"]:
        assert row["equal"]
        said.append(
            f"* {row['network']}, {BOXES[row['box']]}, and its two halves: {row['left']:,} + {row['right']:,} - "
            f"{row['cut']:,} that the cut splits = {row['regions']:,}; the cut itself has {row['on_cut']:,} regions."
        )
    twice = [row for box in BOXES for row in census.of(box, "decisions")]
    equal = all(
        row["regions"] == (census.get(row["network"], row["box"], "regions") or row)["regions"]
        for row in twice
    )
    assert equal
    if twice:
        said.append(
            f"* {len(twice)} runs for decision cells cut the tree otherwise and found as many regions."
        )
    return "\n".join(said)


def cost_table(census: Census) -> str:
    """Processor seconds of each count."""
    there = [box for box in BOXES if census.of(box, "regions")]
    rows = [[name, *(_cost(census.get(name, box, "regions")) for box in there)] for name in NETWORKS]
    return "Processor seconds, one worker; the first one compiles.\n\n" + table(
        ["network", *(BOXES[box] for box in there)], rows
    )


def _cost(row: Row | None) -> str:
    return "–" if row is None else f"{row['seconds']:.2f}"


# ---------------------------------------------------------------- figures


def draw(census: Census, folder: Path) -> None:
    """Two figures."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    there = [box for box in ("middle_10", "middle_20", "middle_30") if census.of(box, "regions")]
    figure, ax = pyplot.subplots(figsize=(11, 4))
    for box in there:
        rows = census.of(box, "regions")
        places = [NETWORKS.index(row["network"]) for row in rows]
        ax.plot(places, [row["regions"] for row in rows], "o", markersize=5, label=BOXES[box])
    ax.set_yscale("log")
    ax.set_xticks(range(45), NETWORKS, rotation=90)
    ax.set_ylabel("linear regions")
    ax.set_title("Linear regions of the 45 ACAS Xu networks, exactly")
    ax.grid(axis="y", alpha=0.3)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    figure.savefig(folder / "census-regions.png", dpi=130, bbox_inches="tight")
    figure, ax = pyplot.subplots(figsize=(6, 4.5))
    for name in NETWORKS:
        rows = [census.get(name, box, "regions") for box in there]
        points = [(10 * (i + 1), row["regions"]) for i, row in enumerate(rows) if row is not None]
        ax.plot(*zip(*points, strict=True), color="tab:blue", alpha=0.5)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks([10, 20, 30], ["10 %", "20 %", "30 %"])
    ax.minorticks_off()
    ax.set_xlabel("middle part of each input's range")
    ax.set_ylabel("linear regions")
    ax.set_title("Growth with the box, a line a network")
    ax.grid(alpha=0.3)
    figure.savefig(folder / "census-growth.png", dpi=130, bbox_inches="tight")
    pyplot.close("all")


if __name__ == "__main__":
    main()
