"""Regions as one self-contained web page: no server, no network access, nothing executed but the page's own script."""

from __future__ import annotations

import html
import json
import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import resources
from typing import Any, Final

from polyregions.errors import OptionError, expect
from polyregions.io.files import as_path, write_whole
from polyregions.plot.explorer.contents import contents
from polyregions.plot.look import Look, Percentiles
from polyregions.plot.samples import samples_of
from polyregions.plot.scene import Scene
from polyregions.plot.sections import check_drawable
from polyregions.regions.region_set import RegionSet

SUFFIXES: Final = (".html", ".htm")
SCRIPTS: Final = (
    "data", "locate", "search", "path", "theme", "view", "paint", "overlay", "panel", "svg", "legend", "picture",
    "link", "main",
)  # fmt: skip
"""The script's files in order; each knows only those before it."""


@dataclass(frozen=True)
class ExplorerPage:
    """A page that `explore` made and did not write: as the last value of a notebook's cell it is shown there.

    Attributes:
        html: the page as text.
        title: what it shows.
    """

    html: str = field(repr=False)
    title: str

    def _repr_html_(self, height: int = 640) -> str:
        """A frame with the page in it, which can reach neither the notebook nor the network."""
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" title="{html.escape(self.title)}" width="100%" '
            f'height="{height}" style="border:0" sandbox="allow-scripts allow-downloads"></iframe>'
        )


def explore(
    regions: RegionSet,
    path: str | os.PathLike[str] | None = None,
    *,
    rule: str = "auto",
    view: tuple[Any, Any] | None = None,
    data: Any = None,
    labels: Any = None,
    input_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    percentiles: Percentiles = "auto",
) -> ExplorerPage | None:
    """Make a web page in which the regions of a two-dimensional input set can be looked at one by one.

    The page holds everything it needs, and its content security policy forbids it to fetch anything. It shows each
    region's pattern, ranks, affine map, class, facets and neighbours, finds patterns and points, builds the partition
    up layer by layer, and shows shortest paths in the adjacency graph.

    Args:
        regions: regions of a two-dimensional domain, slice, or box with the other inputs fixed.
        path: the file, ``.html``; it appears under its name only once it is complete. Without it the page is shown in
            the notebook.
        rule: "argmax", "argmin", "sign", or "auto" for the sign of one output and the largest of several.
        view: two corners ``(lower, upper)`` to which the picture is cut; see `plane_section`.
        data, labels, input_names, class_names, title, percentiles: as in `plot_regions`.

    Returns:
        The page, which notebooks show; nothing if it was written to a file.

    Raises:
        InputError: the domain is not two-dimensional; the message says how to slice.
        OptionError: the name does not end in .html, an unknown rule or view, names or data that do not fit.
        FormatError: the file cannot be written.

    Complexity: about a millisecond a region, most of it exact arithmetic.

    >>> import tempfile
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pr.explore(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1])), f"{folder}/regions.html")
    """
    expect(regions, RegionSet, "regions")
    look = {
        "input_names": input_names,
        "class_names": class_names,
        "title": title,
        "percentiles": percentiles,
    }
    if path is None:
        page = explorer_page(regions, rule, view, data, labels, **look)
        return ExplorerPage(page, title or _title(regions))
    if as_path(path).suffix.lower() not in SUFFIXES:
        raise OptionError(f"{path}: expected a name that ends in {' or '.join(SUFFIXES)}")
    write_whole(path, explorer_page(regions, rule, view, data, labels, **look).encode())
    return None


def explorer_page(
    regions: RegionSet,
    rule: str = "auto",
    view: tuple[Any, Any] | None = None,
    data: Any = None,
    labels: Any = None,
    **names: Any,
) -> str:
    """The page as text; arguments and errors as in `explore`."""
    check_drawable(regions.problem, (2,))
    look = Look.of(regions.problem, rule, **names)
    samples = samples_of(regions.problem, look, data, labels)
    scene = Scene.of(regions, rule, view)
    script, style = "\n".join(_file(f"{name}.js") for name in SCRIPTS), _file("page.css")
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    parts = {
        "policy": f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; "
        "form-action 'none'",
        "version": _version(),
        "title": html.escape(look.title or _title(regions)),
        "style": style,
        "data": _json(contents(scene, look, samples)),
        "script": script,
    }
    return _filled(_file("page.html"), parts)


def _title(regions: RegionSet) -> str:
    return f"{regions.network.name}: {len(regions)} regions"


def _filled(template: str, parts: dict[str, str]) -> str:
    """The template with its ``{{name}}`` replaced, each once, and nothing in the parts looked at again."""
    pieces = template.split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        filled += [parts[name], rest]
    return "".join(filled)


def _json(value: Any) -> str:
    """JSON that can stand in a script element: without any < that could end it."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _hash(text: str) -> str:
    """The source expression of a content security policy that allows exactly this inline text."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    return (resources.files("polyregions.plot.explorer") / name).read_text(encoding="utf-8")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return html.escape(version("polyregions"))
    except PackageNotFoundError:  # a checkout that is not installed
        return "unknown"
