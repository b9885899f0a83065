"""Make the pictures of the documentation: ``python docs/make_images.py``, with the extra ``test`` installed.

The screenshots of the explorer need Debian's chromium.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

import polyregions as pr
from polyregions.plot.figure import STYLE
from polyregions.plot.layers import panels_size

IMAGES = Path(__file__).parent / "images"
CHROMIUM_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def random_network(seed: int, *widths: int) -> pr.Network:
    """A network with normally distributed weights."""
    rng = np.random.default_rng(seed)
    pairs = list(zip(widths, widths[1:], strict=False))
    layers = [(rng.normal(size=(n, k)) * (2 / k) ** 0.5, rng.normal(size=n) * 0.5) for k, n in pairs]
    return pr.Network.from_layers(layers, name="random " + "-".join(map(str, widths)))


def moons() -> pr.RegionSet:
    """The packaged classifier."""
    return pr.enumerate_regions(pr.load_network("example:two-moons"), pr.Box([-2, -1.5], [3, 2]))


def save(name: str, draw: Callable[[Any], Any], size: tuple[float, float]) -> None:
    """Draw on a figure and write it with a palette of 256 colours, which keeps the repository small."""
    with matplotlib.rc_context(STYLE):
        figure = matplotlib.figure.Figure(figsize=size, dpi=150)
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", bbox_inches="tight")
    write(name, buffer.getvalue())


def write(name: str, png: bytes) -> None:
    """Write a PNG with a palette."""
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(IMAGES / name, optimize=True)
    print(name, (IMAGES / name).stat().st_size)


def plots() -> None:
    """The pictures of docs/plots.md."""
    of_moons = moons()
    deep = pr.enumerate_regions(random_network(11, 2, 10, 10, 10, 2), pr.Box.cube(-2, 2, 2))
    small = pr.enumerate_regions(random_network(5, 2, 7, 5, 3), pr.Box.cube(-2, 2, 2))
    line = pr.enumerate_regions(random_network(8, 1, 12, 8, 2), pr.Box([-2], [2]))
    flat, solid = (6, 5), {"projection": "3d"}
    save("two-moons.png", lambda f: pr.plot_regions(of_moons, f.add_subplot()), flat)
    save("moons-slope.png", lambda f: pr.plot_regions(of_moons, f.add_subplot(), color="slope"), flat)
    save("moons-surface.png", lambda f: pr.plot_surface(of_moons, f.add_subplot(**solid)), flat)
    save("deep-layers.png", lambda f: pr.plot_layers(deep, f), panels_size(deep))
    save("deep-lines.png", lambda f: pr.plot_regions(deep, f.add_subplot(), color="layer"), flat)
    save(
        "graph-in-place.png",
        lambda f: pr.plot_regions(small, f.add_subplot(), color="region", graph=True),
        flat,
    )
    save("one-dimension.png", lambda f: pr.plot_regions(line, f.add_subplot(), color="layer"), (6, 3.4))


def screenshots() -> None:
    """The explorer in light and dark."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        file = Path(folder) / "moons.html"
        pr.explore(moons(), file)
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1180, "height": 720}, color_scheme=scheme)
            page.goto(file.as_uri())
            if scheme == "light":
                page.evaluate("explorer.select(225); explorer.startPath(225); explorer.select(433)")
            else:
                page.fill("#query", "0.3, -1")
                page.press("#query", "Enter")
            while not page.evaluate("explorer.isIdle()"):
                time.sleep(0.05)
            write(f"explorer-{scheme}.png", page.screenshot())
        browser.close()


if __name__ == "__main__":
    plots()
    screenshots()
