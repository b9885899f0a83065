"""Tables, pictures and pages of results: offered by the results as methods, made by the rooms that know how.

A set of regions cannot import what makes tables and pictures of it, for these import it. So its methods ask functions
that choose by the type of their argument (`functools.singledispatch`), and the modules of tables and pictures add the
answers: `io/tables/frames.py`, `plot/shapes.py` and `plot/notebook.py`. They are imported when first asked for, by
name: whoever unpickles a result, or imports one module only, gets them too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import singledispatch
from importlib import import_module
from typing import Any, Final

ANSWERS: Final = ("io.tables.frames", "plot.shapes", "plot.notebook")


@singledispatch
def arrow_table(result: Any, **options: Any) -> Any:
    """A result as a ``pyarrow.Table``."""
    return _answer(arrow_table, result)(result, **options)


@singledispatch
def data_frame(result: Any, **options: Any) -> Any:
    """A result as a ``pandas.DataFrame``."""
    return _answer(data_frame, result)(result, **options)


@singledispatch
def drawn(shape: Any, ax: Any, view: Any, style: dict[str, Any]) -> Any:
    """A shape drawn on matplotlib axes, which are returned; new ones for None."""
    return _answer(drawn, shape)(shape, ax, view, style)


@singledispatch
def notebook_html(result: Any) -> str:
    """A result as what a notebook shows of it."""
    text: str = _answer(notebook_html, result)(result)
    return text


def _answer(ask: Any, result: Any) -> Callable[..., Any]:
    """The answer for the type of a result, once all modules that have answers are imported."""
    for name in ANSWERS:
        import_module(f"polyregions.{name}")
    found: Callable[..., Any] = ask.dispatch(type(result))
    if found is ask.dispatch(object):
        raise NotImplementedError(f"{ask.__name__}: nothing is known of a {type(result).__name__}")
    return found


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
