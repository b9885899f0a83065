"""Does the explorer page stay smooth with tens of thousands of regions?

``python benchmarks/explorer.py`` writes a page of about 40,000 regions, opens it in a headless Chromium without a
graphics card, drags and zooms, and prints the times. Needs Debian's chromium and playwright.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

import polyregions as pr

WIDTHS = (2, 200, 150, 40, 3)
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def network() -> pr.Network:
    """A random network of two inputs."""
    rng = np.random.default_rng(0)
    pairs = zip(WIDTHS, WIDTHS[1:], strict=False)
    layers = [(rng.normal(size=(n, k)) * (2 / k) ** 0.5, rng.normal(size=n) * 0.5) for k, n in pairs]
    return pr.Network.from_layers(layers, name="random " + "-".join(map(str, WIDTHS)))


def timed(page: Any, what: str, act: Any) -> None:
    """Print the longest frame while something is done, and how long the whole map then took."""
    page.evaluate("window.explorer && Object.assign(explorer.frames, { worst: 0, count: 0 })")
    start = time.perf_counter()
    act()
    while not page.evaluate("explorer.isIdle()"):
        time.sleep(0.01)
    worst, count = page.evaluate("[explorer.frames.worst, explorer.frames.count]")
    whole = page.evaluate("explorer.paintTime()")
    seconds = time.perf_counter() - start
    print(
        f"{what:12} {count:4d} frames in {seconds:5.2f} s, the longest {worst:5.1f} ms; the whole map {whole:5.0f} ms"
    )


def drag(page: Any) -> None:
    """Move the map with the pointer."""
    page.mouse.move(400, 400)
    page.mouse.down()
    for i in range(100):
        page.mouse.move(400 + 2 * i, 400 + i)
    page.mouse.up()


def zoom(page: Any) -> None:
    """Turn the wheel there and back."""
    page.mouse.move(450, 400)
    for turn in (-100, 100):
        for _ in range(15):
            page.mouse.wheel(0, turn)


def hover(page: Any) -> None:
    """Move the pointer over the regions."""
    for i in range(200):
        page.mouse.move(100 + 3 * i, 150 + 2 * i)


def main() -> None:
    """Write, open, measure."""
    start = time.perf_counter()
    regions = pr.enumerate_regions(network(), pr.Box.cube(-1, 1, 2))
    found = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        file = Path(folder) / "page.html"
        pr.explore(regions, file)
        written = time.perf_counter()
        megabytes = file.stat().st_size / 1e6
        print(
            f"{len(regions)} regions: found in {found - start:.1f} s, written in {written - found:.1f} s, "
            f"{megabytes:.1f} MB"
        )
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        timed(page, "open", lambda: page.goto(file.as_uri()))
        for name, act in (("drag", drag), ("zoom", zoom), ("hover", hover)):
            timed(page, name, lambda act=act: act(page))
        points = np.random.default_rng(0).uniform(-1, 1, size=(100_000, 2)).tolist()
        seconds = page.evaluate(
            "points => { const t = performance.now(); points.forEach(([x, y]) => explorer.locate(x, y));"
            " return (performance.now() - t) / 1000; }",
            points,
        )
        print(f"locate       {seconds / len(points) * 1e6:.1f} microseconds a point")
        browser.close()


if __name__ == "__main__":
    main()
