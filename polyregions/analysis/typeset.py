"""Tables and texts as LaTeX and Markdown, with everything escaped that either would take for a command.

>>> print(booktabs([("a_1", "b")], [["x", "7"]], "lr"))
\\begin{tabular}{lr}
\\toprule
a\\_1 & b \\\\
\\midrule
x & 7 \\\\
\\bottomrule
\\end{tabular}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

PACKAGES: Final = "% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}, \\usepackage{textcomp}"

_LATEX: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "'": r"\textquotesingle{}",
    '"': r"\textquotedbl{}",
    "-": "-{}",  # two of them would be joined to a dash
}
LONG, PIECE = 32, 16
"""Words longer than the first may be broken after every so many letters."""


class Latex(str):
    """A text that is LaTeX already, and not to be escaped."""


def one_line(text: str) -> str:
    """The same with a space for each line end and whatever else does not print."""
    return "".join(c if c.isprintable() else " " for c in text)


def latex(text: str) -> str:
    """Text that LaTeX prints as it is; words longer than a line may be broken."""
    if isinstance(text, Latex):
        return text
    return " ".join(r"\allowbreak{}".join(map(_escaped, _pieces(word))) for word in text.split(" "))


def markdown(text: str) -> str:
    """Text that Markdown prints as it is."""
    return re.sub(r"([\\`*_\[\]<>|#$~])", r"\\\1", text)


def bars(texts: Iterable[str]) -> str:
    """A row of a Markdown table, of cells that are escaped already."""
    return f"| {' | '.join(texts)} |"


def booktabs(heads: Sequence[Sequence[str]], rows: Iterable[Sequence[str]], columns: str) -> str:
    """A tabular of the booktabs package.

    Args:
        heads: one row of column names, or two: in the first of two, neighbours with one text share it.
        rows: the cells.
        columns: what stands for the columns in ``tabular``, such as "lrr".
    """
    *over, head = heads
    return "\n".join(
        [
            f"\\begin{{tabular}}{{{columns}}}",
            "\\toprule",
            *[line for names in over for line in _spanning(names)],
            _ampersands(head),
            "\\midrule",
            *[_ampersands(row) for row in rows],
            "\\bottomrule",
            "\\end{tabular}",
        ]
    )


def _spanning(names: Sequence[str]) -> list[str]:
    """Names over several columns each, and rules below those that are not empty."""
    cells, rules, start = [], [], 1
    for name, group in groupby(names):
        n = len(list(group))
        cells.append(f"\\multicolumn{{{n}}}{{c}}{{{latex(name)}}}" if name else " & ".join([""] * n))
        rules += [f"\\cmidrule(lr){{{start}-{start + n - 1}}}"] if name else []
        start += n
    return [f"{' & '.join(cells)} \\\\", "".join(rules)]


def _ampersands(texts: Iterable[str]) -> str:
    return f"{' & '.join(latex(text) for text in texts)} \\\\"


def _pieces(word: str) -> list[str]:
    if len(word) <= LONG:
        return [word]
    return [word[i : i + PIECE] for i in range(0, len(word), PIECE)]


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in text)
