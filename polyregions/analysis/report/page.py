"""What a page is made of: sections of plain tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from polyregions.regions.region_set import RegionSet

TableCell: TypeAlias = int | float | str | bool | tuple[int, ...] | None
"""What stands in a table; None is a thing that is not known."""

TableRow: TypeAlias = tuple[TableCell, ...]

PARTIAL: Final = "The enumeration was stopped: these are counts of the regions found so far."


@dataclass(frozen=True)
class Section:
    """A table with a title.

    Attributes:
        title: what the table is about.
        rows: its rows; the first entry of each is its name.
        note: what a reader has to know about the numbers, "" if nothing.
        header: the names of the columns; without one, rows are (name, value) pairs.
    """

    title: str
    rows: tuple[TableRow, ...]
    note: str = ""
    header: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """A page: its title and its sections, in order.

    Attributes:
        title: the title.
        sections: the sections.
        complete: whether all sections are there; False if a limit or the user stopped the page.
    """

    title: str
    sections: tuple[Section, ...]
    complete: bool = True

    def section(self, title: str) -> Section | None:
        """The section with a title, None if there is none."""
        return next((section for section in self.sections if section.title == title), None)

    def __repr__(self) -> str:
        return f"<Report {self.title}: {', '.join(section.title for section in self.sections)}>"


SectionFunction: TypeAlias = Callable[[RegionSet], Section | None]
"""Makes a section of a page, or None where it does not apply."""
