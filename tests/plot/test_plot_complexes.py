"""Pictures of complexes and diagrams: every polygon is there, closed and in order; animations have a frame each."""

from __future__ import annotations

from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest
from PIL import Image

import polyregions as pr
from polyregions.errors import FormatError, InputError, OptionError
from polyregions.plot.complexes import polygons_in_space
from randoms import random_layers


def space() -> matplotlib.axes.Axes:
    return matplotlib.figure.Figure().add_subplot(projection="3d")


def cells(explode: float = 0.0) -> tuple[pr.FaceComplex, list[np.ndarray]]:
    net = pr.Network.from_layers(random_layers(4, 3, 5, 1))
    complex = pr.face_complex(pr.enumerate_regions(net, pr.Box.cube(-1, 1, 3)))
    assert len(pr.plot_complex(complex, space(), explode=explode).collections) == 1
    return complex, polygons_in_space(complex, explode, None)[0]


def test_every_facet_of_every_cell_is_drawn_and_flat() -> None:
    complex, drawn = cells()
    assert len(drawn) == complex.boundary(3).nnz
    for polygon in drawn:
        corners = polygon[:-1] if np.allclose(polygon[0], polygon[-1]) else polygon
        assert np.linalg.matrix_rank(corners - corners[0], tol=1e-9) == 2
        turns = np.cross(np.roll(corners, -1, 0) - corners, np.roll(corners, -2, 0) - np.roll(corners, -1, 0))
        assert np.all(turns @ turns[np.argmax(np.abs(turns).sum(1))] > -1e-12)  # convex, so in order


def test_exploded_cells_are_apart() -> None:
    _, together = cells()
    _, apart = cells(0.5)
    reach = [np.abs(np.concatenate(drawn)).max() for drawn in (together, apart)]
    assert reach[0] == pytest.approx(1) and reach[1] > 1.1


def test_cut_open_and_surfaces() -> None:
    complex, drawn = cells()
    some, _ = polygons_in_space(complex, 0.0, (0, 0.0))
    assert 0 < len(some) < len(drawn)
    net = pr.Network.from_layers([([[1, 0, 0]], [0]), ([[1]], [-0.5])])
    boundary = pr.face_complex(pr.enumerate_regions(net, pr.Box.cube(-1, 1, 3))).decision_boundary()
    (square,), _ = polygons_in_space(boundary, 0.0, None)
    pr.plot_complex(boundary, space(), color="red")
    assert np.all(square[:, 0] == 0.5)


def test_what_cannot_be_drawn_is_said() -> None:
    complex, _ = cells()
    line = pr.face_complex(
        pr.enumerate_regions(pr.Network.from_layers(random_layers(1, 1, 3, 1)), pr.Box(-1, 1))
    )
    with pytest.raises(InputError, match="two or three inputs"):
        pr.plot_complex(line, space())
    with pytest.raises(InputError, match="no polygons"):
        pr.plot_complex(complex, space(), keep=(0, -5.0))
    with pytest.raises(OptionError, match="input 3"):
        pr.plot_complex(complex, space(), keep=(3, 0.0))
    with pytest.raises(OptionError, match="color"):
        pr.plot_complex(complex, space(), color=["red"] * 5)


def test_a_diagram_has_a_mark_for_each_class() -> None:
    net = pr.Network.from_layers(random_layers(6, 2, 8, 1))
    diagram = pr.persistent_homology(pr.face_complex(pr.enumerate_regions(net, pr.Box.cube(-2, 2, 2))))
    axes = pr.plot_persistence(diagram, matplotlib.figure.Figure().add_subplot())
    assert sum(len(c.get_offsets()) for c in axes.collections) == len(diagram)


def test_an_animation_has_a_frame_for_each_checkpoint(tmp_path: Path) -> None:
    sets = {
        f"epoch {seed}": pr.enumerate_regions(
            pr.Network.from_layers(random_layers(seed, 2, 4, 1)), pr.Box.cube(-1, 1, 2)
        )
        for seed in range(3)
    }
    pr.animate_regions(sets, tmp_path / "run.gif", seconds=0.2, dpi=40)
    with Image.open(tmp_path / "run.gif") as image:
        assert image.n_frames == 3 and image.info["duration"] == 200
    with pytest.raises(FormatError, match=r"\.gif"):
        pr.animate_regions(sets, tmp_path / "run.png")
    with pytest.raises(OptionError, match="no checkpoints"):
        pr.animate_regions({}, tmp_path / "run.gif")
