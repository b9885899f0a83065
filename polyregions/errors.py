"""Every error this package raises on purpose, as a tree.

PolyregionsError
├── InputError (ValueError)          what the caller or a file handed in is wrong
│   ├── NetworkError                 weights, shapes, activations
│   ├── DomainError                  the input set
│   ├── FormatError                  a file that cannot be read as what it claims to be
│   │   ├── MissingFileError (FileNotFoundError)  there is no file of that name
│   │   └── UnsupportedError         a well-formed file that uses something outside piecewise-linear networks
│   └── OptionError                  an argument or option with an impossible value
├── NoSuchPlaceError (IndexError)    a result has no member of that number
├── NotAnIndexError (TypeError)      what stands in the brackets behind a result is no index
├── MissingExtraError (ImportError)  an optional dependency is not installed
├── StoppedError                     a run was stopped before it had an answer
└── InternalError (RuntimeError)     a self-check of the engine failed: a bug, please report it

All of them are names of `polyregions.errors`, which ``import polyregions`` brings along; the root is
`polyregions.PolyregionsError` too.

>>> import polyregions as pr
>>> try:
...     pr.load_network("nowhere.onnx")
... except pr.errors.MissingFileError as error:  # or FileNotFoundError, or pr.PolyregionsError
...     print(error)
nowhere.onnx: no such file
"""

from __future__ import annotations

from errno import ENOENT
from typing import Any, Final


def visible(text: str) -> str:
    """Text on one line that a terminal only prints: whatever is not printable, from a file's names perhaps, is escaped.

    >>> print(visible("Re\\x1b[2Jlu"))
    Re\\x1b[2Jlu
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class PolyregionsError(Exception):
    """Base class of every error raised on purpose by polyregions."""

    def __str__(self) -> str:
        """The message, see `visible`; messages name what stands in files."""
        return visible(super().__str__())


class InputError(PolyregionsError, ValueError):
    """Something handed in is wrong; the message names the place, what was found and what was expected."""


class NetworkError(InputError):
    """Raised when weights, biases, shapes or activations do not make a network."""


class DomainError(InputError):
    """Raised when an input set is malformed, empty or of the wrong dimension."""


class FormatError(InputError):
    """Raised when a file is truncated, hostile, or not what its name claims."""


class MissingFileError(FormatError, FileNotFoundError):
    """Raised when there is no file of the name given.

    Attributes:
        filename: the name.
    """

    def __init__(self, filename: object, what: str = "no such file") -> None:
        super().__init__(f"{filename}: {what}")
        self.errno, self.filename, self.strerror = ENOENT, str(filename), what

    def __str__(self) -> str:
        """The message, in the form that all errors here have; `OSError` has another one."""
        return visible(f"{self.filename}: {self.strerror}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Made anew from its name: `OSError` would copy itself from arguments that it was not given."""
        return type(self), (self.filename, self.strerror)


class UnsupportedError(FormatError):
    """Raised when a file is well-formed but holds an operator or feature that cannot be represented exactly."""


class OptionError(InputError):
    """Raised when an option has a value it cannot take."""


class NoSuchPlaceError(PolyregionsError, IndexError):
    """Raised when a result is asked for a member that it does not have."""


class NotAnIndexError(PolyregionsError, TypeError):
    """Raised when a result is indexed by something that is no integer, slice, mask or array of integers."""


class MissingExtraError(PolyregionsError, ImportError):
    """Raised when an optional dependency is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f'{purpose} needs {package}: pip install "polyregions[{extra}]"')
        self.extra = extra


class StoppedError(PolyregionsError):
    """Raised when a run is stopped before its end by something that nobody asked for, or that has only whole answers.

    Attributes:
        finished: what an enumeration or a count in memory had by then, marked as partial; else None (a store keeps it).
    """

    finished: Any = None


KEPT: Final = "what is finished is kept (in the store, if there is one: the same call goes on)"


class InternalError(PolyregionsError, RuntimeError):
    """Raised when a self-check fails; no result is better than a wrong one."""


GIVEN_BY: Final = {
    "Certificate": "certify gives",
    "Checkpoints": "compare_checkpoints gives",
    "DecisionCells": "decision_cells gives",
    "FaceComplex": "face_complex gives",
    "HPolytope": "HPolytope(A, b) is",
    "Network": "load_network gives",
    "PersistenceDiagram": "persistent_homology gives",
    "RegionSet": "enumerate_regions gives",
    "Trajectories": "trajectories gives",
}


def expect(given: object, kind: type, name: str, error: type[InputError] = InputError) -> None:
    """Refuse an argument that is not of the class that a function is for, before anything is done with it.

    Raises:
        InputError: names the argument, what was given, what is expected and where one gets it.

    >>> expect(5, str, "text")
    Traceback (most recent call last):
    polyregions.errors.InputError: text: int, expected a str
    """
    if not isinstance(given, kind):
        wanted, source = kind.__name__, GIVEN_BY.get(kind.__name__)
        article = "" if wanted.endswith("s") else "a "
        hint = "" if source is None else f", such as {source}"
        raise error(f"{name}: {type(given).__name__}, expected {article}{wanted}{hint}")
