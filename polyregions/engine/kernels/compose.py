"""Kernels that pull layers back to chart coordinates, with running error bounds."""

from __future__ import annotations

from polyregions._types import Floats
from polyregions.engine.kernels.compiled import kernel
from polyregions.engine.kernels.state import SAFE, TINY, ULP, Chart, Forms, Net


@kernel
def form_size(row: Floats, lower: Floats, upper: Floats) -> float:
    """A bound on the sum of the absolute terms of a form (k+1,) anywhere within the bounds (k,)."""
    k = len(lower)
    total: float = abs(row[k])
    for c in range(k):
        total += abs(row[c]) * max(abs(lower[c]), abs(upper[c]))
    return total * SAFE


@kernel
def enter_first_layer(width: int, chart: Chart, forms: Forms) -> None:
    """The forms of the first layer, which are given."""
    k = len(chart.lower)
    for i in range(width):
        for c in range(k + 1):
            forms.maps[0, i, c] = chart.base[i, c]
        size = form_size(chart.base[i], chart.lower, chart.upper)
        forms.size[0, i] = size
        forms.error[0, i] = (chart.base_error[i] + (k + 4) * ULP * size) * SAFE + TINY


@kernel
def choose_slopes(net: Net, forms: Forms, layer: int) -> int:
    """The slope of every unit of a finished layer along its bits; how many are not 0."""
    count = 0
    for j in range(net.widths[layer]):
        bit = net.bit[layer, j]
        on = bit < 0 or forms.bits[bit] == 1
        forms.active[j] = net.slopes[layer, j, 1] if on else net.slopes[layer, j, 0]
        count += forms.active[j] != 0.0
    return count


@kernel
def enter_layer(net: Net, chart: Chart, forms: Forms, layer: int) -> None:
    """The forms of a layer along the bits of the layers before it.

    The error bounds the distance of the computed value of a form to the true one, anywhere within the bounds:
    what the forms before carry, and gamma times the sizes of what is added up. It is zero only for a form without
    terms: one whose terms have all vanished in underflow is not known to be zero.
    """
    k = len(chart.lower)
    active, inner = forms.active, forms.maps[layer - 1]
    n_terms = choose_slopes(net, forms, layer - 1)
    tau_size = form_size(chart.tau, chart.lower, chart.upper)
    rounding = (n_terms + k + 8) * ULP * SAFE
    for i in range(net.widths[layer]):
        row = forms.maps[layer, i]
        bias = net.bias[layer, i]
        for c in range(k + 1):
            row[c] = bias * chart.tau[c]
        error, size = abs(bias) * chart.tau_error, abs(bias) * tau_size
        has_terms = bias != 0.0
        for j in range(net.widths[layer - 1]):
            if active[j] != 0.0:
                weight = net.weight[layer, i, j] * active[j]
                inner_is_zero = forms.error[layer - 1, j] == 0.0 and forms.size[layer - 1, j] == 0.0
                has_terms = has_terms or (net.weight[layer, i, j] != 0.0 and not inner_is_zero)
                for c in range(k + 1):
                    row[c] += weight * inner[j, c]
                error += abs(weight) * forms.error[layer - 1, j]
                size += abs(weight) * forms.size[layer - 1, j]
        forms.error[layer, i] = (error + rounding * size) * SAFE + (TINY if has_terms else 0.0)
        forms.size[layer, i] = size * SAFE
