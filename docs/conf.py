"""Sphinx settings; with the extra ``docs``: ``python -m sphinx -W --keep-going -b html docs docs/_build/html``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polyregions

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


def fill_in(app: Any, name: str, source: list[str]) -> None:
    """Put what nobody should have to list by hand: pages that the index does not name, and the public names."""
    if name == "index":
        pages = sorted(page.stem for page in Path(app.srcdir).glob("*.md"))
        others = [page for page in pages if page != "index" and page not in source[0].splitlines()]
        source[0] = source[0].replace("{{ pages not named here }}", "\n".join(others))
    if name == "api":
        source[0] = source[0].replace("{{ public names }}", "\n   ".join(polyregions.__all__))


def setup(app: Any) -> None:
    """Sphinx calls this."""
    app.connect("source-read", fill_in)
