"""Tables, pictures and pages of results: offered by the results as methods, made by the rooms that know how.

A set of regions cannot import what makes tables and pictures of it, for these import it. So its methods ask functions
that choose by the type of their argument (`functools.singledispatch`), and the modules of tables and pictures add the
answers: `io/tables/frames.py`, `plot/shapes.py` and `plot/notebook.py`. ``import polyregions`` brings all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import singledispatch
from typing import Any


@singledispatch
def arrow_table(result: Any, **options: Any) -> Any:
    """A result as a ``pyarrow.Table``."""
    raise NotImplementedError(f"no table of a {type(result).__name__}")


@singledispatch
def data_frame(result: Any, **options: Any) -> Any:
    """A result as a ``pandas.DataFrame``."""
    raise NotImplementedError(f"no table of a {type(result).__name__}")


@singledispatch
def drawn(shape: Any, ax: Any, view: Any, style: dict[str, Any]) -> Any:
    """A shape drawn on matplotlib axes, which are returned; new ones for None."""
    raise NotImplementedError(f"no picture of a {type(shape).__name__}")


@singledispatch
def notebook_html(result: Any) -> str:
    """A result as what a notebook shows of it."""
    raise NotImplementedError(f"no page of a {type(result).__name__}")


class Tabular(ABC):
    """A result that is a table of rows, for pandas and for whatever reads Arrow."""

    @abstractmethod
    def to_arrow(self) -> Any:
        """The table as a ``pyarrow.Table``."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """What polars, duckdb and others take tables by: ``polars.DataFrame(regions)``.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        return self.to_arrow().__arrow_c_stream__(requested_schema)


class InNotebooks:
    """A result of which a notebook shows a picture and the first rows."""

    def _repr_html_(self) -> str:
        return notebook_html(self)
