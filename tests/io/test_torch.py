"""torch modules: what is read, what is refused by name, and that torch is not imported without need."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.errors import FormatError, MissingExtraError, NetworkError, UnsupportedError
from polyregions.io.models.load import load_network
from polyregions.io.models.torch.read import network_of_module

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
nn = torch.nn


def seeded() -> None:
    torch.manual_seed(5)


def test_a_sequential_agrees_with_its_forward() -> None:
    seeded()
    module = nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 4), nn.ReLU()),
                           nn.Identity(), nn.Linear(4, 2, bias=False))  # fmt: skip
    net = load_network(module)
    assert repr(net) == "<Network Sequential: 3-4-4-2, 8 neurons>"
    assert np.array_equal(net.layers[0].weight, module[1].weight.detach().numpy().astype(np.float64))
    x = torch.rand(5, 3)
    np.testing.assert_allclose(net(x.numpy()), module(x).detach().numpy(), atol=1e-5)


def test_parameters_of_other_types_are_lifted_exactly() -> None:
    for dtype in (torch.float16, torch.float32, torch.float64):
        seeded()
        module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).to(dtype)
        weight = module[0].weight.detach().to(torch.float64).numpy()
        assert np.array_equal(load_network(module).layers[0].weight, weight)


def test_consecutive_linear_modules_are_folded_exactly() -> None:
    seeded()
    module = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    module[0].weight.data[0] *= 1e8  # so that no sum fits into float64
    layer = load_network(module).layers[0]
    a, b = ([[Fraction(v) for v in row] for row in part.weight.tolist()] for part in module)
    c, d = ([Fraction(v) for v in part.bias.tolist()] for part in module)
    expected = [
        [
            *(sum(b[i][k] * a[k][j] for k in range(3)) for j in range(2)),
            sum(b[i][k] * c[k] for k in range(3)) + d[i],
        ]
        for i in range(2)
    ]
    assert layer.exact is not None
    assert [
        [Fraction(int(n), layer.exact.denominator) for n in row] for row in layer.exact.numerators
    ] == expected


def test_a_module_used_twice_acts_twice() -> None:
    seeded()
    linear, relu = nn.Linear(2, 2), nn.ReLU()
    net = load_network(nn.Sequential(linear, relu, linear, relu))
    assert net.widths == (2, 2)


def test_relu_first_last_and_a_bare_linear() -> None:
    assert load_network(nn.Sequential(nn.ReLU(), nn.Linear(2, 1))).widths == (2,)
    assert load_network(nn.Sequential(nn.Linear(2, 1), nn.ReLU())).widths == (1,)
    assert load_network(nn.Linear(2, 1)).n_neurons == 0


class Custom(nn.Sequential):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        return super().forward(x) ** 2


REFUSED = [
    (
        lambda: nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Tanh())),
        r"module 1.0 \(Tanh\)\) is not supported",
    ),
    (lambda: Custom(nn.Linear(2, 2)), r"Custom: the number of inputs cannot be seen"),
    (
        lambda: nn.Sequential(nn.Linear(2, 2), Custom(nn.ReLU())),
        r"aten.pow.Tensor_Scalar \(node 'pow_1', module 1",
    ),
    (lambda: nn.Sequential(nn.Linear(2, 2), nn.Dropout()), "Sequential.1 is in training mode"),
    (lambda: nn.Sequential(nn.ReLU()), "Sequential: has no Linear layer"),
    (lambda: nn.Sequential(), "Sequential: has no Linear layer"),
    (lambda: nn.Sequential(nn.Linear(2, 2).to(torch.bfloat16)), "Sequential.0.weight is of torch.bfloat16"),
    (lambda: nn.Sequential(nn.Linear(2, 2, device="meta")), "Sequential.0.weight has no values"),
    (lambda: nn.Sequential(nn.Linear(2, 2), nn.LazyLinear(2)), "Sequential.1.weight has no values yet"),
]


@pytest.mark.parametrize(("make", "match"), REFUSED, ids=[match for _, match in REFUSED])
def test_other_modules_are_refused_by_name(make: Any, match: str) -> None:
    with pytest.raises(UnsupportedError, match=match):
        load_network(make())


def test_dropout_in_eval_mode_does_nothing() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Dropout(), nn.ReLU()).eval()
    assert load_network(module).widths == (2,)


def test_parameters_that_do_not_fit_or_are_not_finite() -> None:
    with pytest.raises(
        FormatError, match=r"Sequential: torch.export cannot trace it .* got \[1, 3\] X \[5, 1\]"
    ):
        load_network(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(5, 1)))
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].weight.data[1, 0] = float("nan")
    with pytest.raises(FormatError, match=r"Sequential.0.weight\[1, 0\] is nan"):
        load_network(module)


def test_a_hook_that_changes_the_forward_is_followed() -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].register_forward_hook(lambda _m, _i, output: output + 1)
    bias = module[0].bias.detach().numpy().astype(np.float64)
    assert np.array_equal(load_network(module)(np.zeros((1, 2)))[0], bias + 1)


def test_a_hook_that_depends_on_the_run_is_found() -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].register_forward_hook(lambda _m, _i, y: y if torch.compiler.is_exporting() else y + 1)
    with pytest.raises(FormatError, match="differs from its source"):
        load_network(module)
    assert load_network(module, check=False).n_outputs == 2


def test_flatten_keeps_the_numbers() -> None:
    net = load_network(nn.Sequential(nn.Flatten(0), nn.Linear(2, 1)))
    assert net.n_inputs == 2


def test_torch_is_imported_only_for_torch_objects() -> None:
    read = "polyregions.io.models.load as n; n.load_network([([[1]], [0])])"
    code = f"import sys, {read}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_torch_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r'pip install "polyregions\[torch\]"'):
        network_of_module(module)


# ---------------------------------------------------------------- tensors where arrays are expected


def test_parameters_are_taken_where_arrays_are() -> None:
    hidden, last = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)
    net = pr.Network.from_layers([(hidden.weight, hidden.bias), (last.weight, last.bias)])
    module = torch.nn.Sequential(hidden, torch.nn.ReLU(), last)
    assert net.fingerprint() == pr.load_network(module, input_shape=(2,)).fingerprint()
    corner = torch.ones(2, requires_grad=True)
    assert pr.Box(-corner, corner).lower.tolist() == [-1, -1]
    assert pr.HPolytope(hidden.weight, hidden.bias).A.tolist() == hidden.weight.tolist()
    assert np.array_equal(net(corner), net([1, 1]))


def test_halves_of_floats_are_lifted_and_complex_numbers_refused() -> None:
    weight = torch.tensor([[0.1, -3.0]], dtype=torch.bfloat16, requires_grad=True)
    net = pr.Network.from_layers([(weight, [0])])
    assert net.layers[0].weight.tolist() == weight.tolist()
    with pytest.raises(NetworkError, match="layer 1, weight: values of type complex64"):
        pr.Network.from_layers([(torch.ones(1, 2, dtype=torch.complex64), [0])])
