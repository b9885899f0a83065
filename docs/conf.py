"""Sphinx settings; with the extra ``docs``: ``python -m sphinx -W --keep-going -b html docs docs/_build/html``."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import polyregions
from polyregions import errors

project = "polyregions"
author = "the polyregions authors"
version = release = polyregions.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"polyregions {version}"
html_copy_source = False
html_show_sphinx = False


def subjects() -> dict[str, list[str]]:
    """The public names by subject, as the docstring of the package has them, which `help` shows."""
    found = re.findall(r"^([A-Z].*)\n((?:    .*\n?)+)", str(polyregions.__doc__), re.MULTILINE)
    return {subject: re.split(r",\s+", names.strip()) for subject, names in found}


def section(names: list[str], module: str) -> str:
    """A table of names, and then each with its whole docstring."""
    home = importlib.import_module(module)
    kinds = {name: "class" if inspect.isclass(getattr(home, name)) else "function" for name in names}
    kinds |= {name: "data" for name in names if not callable(getattr(home, name))}
    lines = [f".. currentmodule:: {module}", "", ".. autosummary::", "   :nosignatures:", ""]
    lines += [f"   {name}" for name in names] + [""]
    for name in names:
        lines += [f".. auto{kinds[name]}:: {name}", *["   :no-value:"] * (kinds[name] == "data"), ""]
    return "\n".join(["```{eval-rst}", *lines, "```"])


def fill_in(app: Any, name: str, source: list[str]) -> None:
    """Put what nobody should have to list by hand: pages that the index does not name, and the public names."""
    if name == "index":
        pages = sorted(page.stem for page in Path(app.srcdir).glob("*.md"))
        others = [page for page in pages if page != "index" and page not in source[0].splitlines()]
        source[0] = source[0].replace("{{ pages not named here }}", "\n".join(others))
    if name == "api":
        found = {subject: names for subject, names in subjects().items() if subject != "Errors"}
        sections = [f"## {subject}\n\n{section(names, 'polyregions')}" for subject, names in found.items()]
        kinds = [
            name for name, value in vars(errors).items() if isinstance(value, type) and name.endswith("Error")
        ]
        source[0] = source[0].replace("{{ subjects }}", "\n\n".join(sections))
        source[0] = source[0].replace("{{ errors }}", section(kinds, errors.__name__))


def setup(app: Any) -> None:
    """Sphinx calls this."""
    app.connect("source-read", fill_in)
