"""Make the pictures of the documentation: ``python docs/make_images.py``, with the extra ``test`` installed.

The plots are made by the pages themselves: their sessions are run, and at each image ``ax`` is saved, the axes that the
session drew on last. The screenshots of the explorer need Debian's chromium.
"""

from __future__ import annotations

import doctest
import io
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import matplotlib
from PIL import Image
from playwright.sync_api import sync_playwright

import polyregions as pr
from polyregions.plot.figure import STYLE

DOCS = Path(__file__).parent.resolve()
PAGES = ("plots.md", "gallery.md", "topology.md")
IMAGE = re.compile(r"^!\[[^]]*\]\((images/[^)]+\.png)\)$", re.MULTILINE)
CHROMIUM_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def write(path: Path, png: bytes) -> None:
    """Write a PNG with a palette of 256 colours, which keeps the repository small."""
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    print(path.relative_to(DOCS), path.stat().st_size)


def plots_of(page: Path) -> None:
    """Run a page's session, and save what it has drawn wherever an image stands."""
    text, names, end = page.read_text(encoding="utf-8"), dict[str, Any](), 0
    for image in IMAGE.finditer(text):
        for example in doctest.DocTestParser().get_examples(text[end : image.start()]):
            exec(compile(example.source, page.name, "single"), names)
        end = image.end()
        buffer = io.BytesIO()
        names["ax"].figure.savefig(buffer, format="png", dpi=150, bbox_inches="tight")
        write(DOCS / image[1], buffer.getvalue())


def screenshots(folder: Path) -> None:
    """The explorer in light and dark."""
    pr.explore(
        pr.enumerate_regions(pr.load_network("example:two-moons"), pr.Box([-2, -1.5], [3, 2])),
        folder / "moons.html",
    )
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1180, "height": 720}, color_scheme=scheme)
            page.goto((folder / "moons.html").as_uri())
            if scheme == "light":
                page.evaluate("explorer.select(225); explorer.startPath(225); explorer.select(433)")
            else:
                page.fill("#query", "0.3, -1")
                page.press("#query", "Enter")
            while not page.evaluate("explorer.isIdle()"):
                time.sleep(0.05)
            write(DOCS / "images" / f"explorer-{scheme}.png", page.screenshot())
        browser.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)  # sessions write files
        with matplotlib.rc_context(STYLE):
            for name in PAGES:
                plots_of(DOCS / name)
        screenshots(Path(scratch))
