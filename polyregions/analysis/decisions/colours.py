"""The colour that stands for each class, in pictures and in files for programs that draw."""

from __future__ import annotations

CLASS_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb")
"""Paul Tol's bright scheme: classes, outputs. People with any colour vision can tell them apart."""

NO_CLASS_COLOUR = "#666666"
"""Of what has no class of its own."""


def class_colour(k: int) -> str:
    """The colour of class k, ``#rrggbb``; the scheme starts again at its end, and -1 is grey.

    >>> class_colour(0), class_colour(7), class_colour(-1)
    ('#4477aa', '#4477aa', '#666666')
    """
    return CLASS_COLOURS[k % len(CLASS_COLOURS)] if k >= 0 else NO_CLASS_COLOUR
