"""Kernels that pull layers back to chart coordinates, with running error bounds."""

from __future__ import annotations

from numba import njit

from polyregions._types import Floats
from polyregions.engine.walk.state import SAFE, TINY, ULP, Chart, Net, Work


@njit(cache=True, nogil=True, error_model="numpy")
def form_size(row: Floats, chart: Chart) -> float:
    """A bound on the sum of the absolute terms of a form anywhere within the bounds."""
    k = len(row) - 1
    total = abs(row[k])
    for c in range(k):
        total += abs(row[c]) * max(abs(chart.lower[c]), abs(chart.upper[c]))
    return total * SAFE


@njit(cache=True, nogil=True, error_model="numpy")
def enter_first_layer(net: Net, chart: Chart, work: Work) -> None:
    """The forms of the first layer, which are given."""
    k = len(chart.lower)
    for i in range(net.widths[0]):
        for c in range(k + 1):
            work.maps[0, i, c] = chart.base[i, c]
        size = form_size(work.maps[0, i], chart)
        work.size[0, i] = size
        work.error[0, i] = (chart.base_error[i] + (k + 4) * ULP * size) * SAFE + TINY


@njit(cache=True, nogil=True, error_model="numpy")
def enter_layer(net: Net, chart: Chart, work: Work, layer: int) -> None:
    """The forms of a layer along the bits of the layers before it.

    error bounds the distance of the computed value of a form to the true one, anywhere within the bounds:
    what the forms before carry, and gamma times the sizes of what is added up.
    """
    before = layer - 1
    width, n_before = net.widths[layer], net.widths[before]
    k = len(chart.lower)
    count = 0
    for j in range(n_before):
        bit = net.bit[before, j]
        on = bit < 0 or work.bits[bit] == 1
        slope = net.slopes[before, j, 1] if on else net.slopes[before, j, 0]
        work.active[before, j] = slope
        count += slope != 0.0
    tau_size = form_size(chart.tau, chart)
    rounding = (count + k + 8) * ULP * SAFE
    for i in range(width):
        row = work.maps[layer, i]
        for c in range(k + 1):
            row[c] = net.bias[layer, i] * chart.tau[c]
        error = abs(net.bias[layer, i]) * chart.tau_error
        size = abs(net.bias[layer, i]) * tau_size
        for j in range(n_before):
            slope = work.active[before, j]
            if slope != 0.0:
                weight = net.weight[layer, i, j] * slope
                for c in range(k + 1):
                    row[c] += weight * work.maps[before, j, c]
                error += abs(weight) * work.error[before, j]
                size += abs(weight) * work.size[before, j]
        work.error[layer, i] = (error + rounding * size) * SAFE + (TINY if size > 0.0 else 0.0)
        work.size[layer, i] = size * SAFE
