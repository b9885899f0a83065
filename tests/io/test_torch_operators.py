"""torch modules with branches, convolutions, maxima and every activation: values, counts, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.errors import FormatError, OptionError, UnsupportedError
from polyregions.networks.graph import GraphBuilder, lower

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
nn, F = torch.nn, torch.nn.functional


class Of(nn.Module):  # type: ignore[misc]
    """A module from a function, with submodules that it may use."""

    def __init__(self, function: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *x: Any) -> Any:
        return self.function(self, *x)


def values_agree(module: Any, shape: Any, tolerance: float = 1e-9) -> pr.Network:
    """The network, after a comparison with the module in float64 at points that the import does not use."""
    net = pr.load_network(module, input_shape=shape)  # compares them, too
    rng = np.random.default_rng(7)
    double = module.double()
    shapes = [shape] if isinstance(shape[0], int) else shape
    with torch.no_grad():
        for _ in range(20):
            inputs = [torch.from_numpy(rng.standard_normal((1, *s)) * 2) for s in shapes]
            found = double(*inputs)
            expected = np.concatenate(
                [y.numpy().ravel() for y in (found if isinstance(found, tuple) else (found,))]
            )
            x = np.concatenate([part.numpy().ravel() for part in inputs])
            np.testing.assert_allclose(net(x[None])[0], expected, rtol=tolerance, atol=tolerance)
    return net


def assigned(module: Any, x: Any) -> Any:
    y = torch.zeros_like(x)
    y[:, 1:4] = x[:, :3]
    y[:, 5] = 2.0
    return y


def index_assigned(module: Any, x: Any) -> Any:
    y = x.clone()
    y[:, torch.tensor([4, 1])] = x[:, :2] * 2
    return y


IMAGE, LINE, FLAT = (2, 6, 6), (3, 8), (6,)
MODULES: dict[str, tuple[Callable[[], Any], Any]] = {
    "Conv2d": (lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1), IMAGE),
    "Conv2d groups, dilation": (lambda: nn.Conv2d(2, 4, (2, 3), dilation=(2, 1), groups=2, bias=False), IMAGE),
    "Conv2d same": (lambda: nn.Conv2d(2, 1, (2, 4), padding="same"), IMAGE),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 3, 4, stride=2, padding=1), IMAGE),
    "ConvTranspose1d groups": (
        lambda: nn.ConvTranspose1d(4, 2, 3, stride=3, dilation=2, output_padding=2, groups=2),
        (4, 3),
    ),
    "AvgPool2d ceil": (lambda: nn.AvgPool2d(2, ceil_mode=True), (1, 5, 5)),
    "AvgPool2d ceil, padding": (lambda: nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), (1, 4, 5)),
    "MaxPool2d ceil, windows dropped": (lambda: nn.MaxPool2d(3, 3, padding=1, ceil_mode=True), (1, 2, 2)),
    "Upsample bilinear": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (1, 3, 2)),
    "Upsample to a size": (lambda: nn.Upsample(size=(5, 4), mode="bilinear"), (1, 3, 2)),
    "Upsample corners": (lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), (1, 3, 2)),
    "Upsample linear": (lambda: nn.Upsample(scale_factor=1.5, mode="linear"), (2, 4)),
    "Upsample exact": (lambda: nn.Upsample(scale_factor=2, mode="nearest-exact"), (1, 3, 2)),
    "cumsum": (lambda: Of(lambda m, x: x.cumsum(1)), FLAT),
    "einsum": (lambda: Of(lambda m, x: torch.einsum("bi,ij->bj", x, m.w), w=weight(6, 2)), FLAT),
    "where": (lambda: Of(lambda m, x: torch.where(torch.arange(6) > 2, x, 0.5)), FLAT),
    "masked_fill": (lambda: Of(lambda m, x: x.masked_fill(torch.eye(6)[2] > 0, 2.0)), FLAT),
    "triangle": (lambda: Of(lambda m, x: torch.tril(x.reshape(1, 2, 3)) + torch.triu(x.reshape(1, 2, 3), 1)), FLAT),
    "slice assigned": (lambda: Of(assigned), FLAT),
    "index assigned": (lambda: Of(index_assigned), FLAT),
    "norm 1": (lambda: Of(lambda m, x: torch.linalg.vector_norm(x, ord=1, dim=1)), FLAT),
    "clamp without a range": (lambda: Of(lambda m, x: torch.clamp(x, 2, 1)), FLAT),
    "clamp to infinity": (lambda: Of(lambda m, x: torch.clamp(x, -float("inf"), 1.0)), FLAT),
    "clamp by entry": (lambda: Of(lambda m, x: torch.clamp(x, torch.arange(6.0) - 3, torch.ones(6))), FLAT),
    "ones / 3": (lambda: Of(lambda m, x: torch.relu(x + torch.ones(6) / 3)), FLAT),
    "arange / 7": (lambda: Of(lambda m, x: x * (torch.arange(6) / 7)), FLAT),
    "linspace": (lambda: Of(lambda m, x: x - torch.linspace(0, 1, 6).sqrt()), FLAT),
    "full": (lambda: Of(lambda m, x: torch.maximum(x, torch.full((6,), 0.1))), FLAT),
    "tensor / 3": (lambda: Of(lambda m, x: x + torch.tensor([0.1, 0.2, 0.3, 1, 2, 3]) / 3), FLAT),
    "parameter / 3": (lambda: Of(lambda m, x: x + m.w / 3, w=weight(6)), FLAT),
    "relu of a parameter": (lambda: Of(lambda m, x: x * torch.relu(m.w), w=weight(6)), FLAT),
    "weight_norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(6, 2)), FLAT),
    "spectral_norm": (lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(6, 2)).eval(), FLAT),
    "exp of a parameter": (lambda: Of(lambda m, x: x * m.w.exp(), w=weight(6)), FLAT),
    "Conv1d": (lambda: nn.Conv1d(3, 2, 3, padding=2), LINE),
    "Conv1d, unbatched": (lambda: Of(lambda m, x: m.c(x[0]), c=nn.Conv1d(3, 2, 3)), LINE),
    "BatchNorm2d": (lambda: normalised(nn.BatchNorm2d(2)), IMAGE),
    "BatchNorm1d": (lambda: nn.Sequential(nn.Linear(6, 3), normalised(nn.BatchNorm1d(3)), nn.ReLU()), FLAT),
    "BatchNorm1d without weights": (lambda: normalised(nn.BatchNorm1d(6, affine=False)), FLAT),
    "AvgPool2d": (lambda: nn.AvgPool2d(2), IMAGE),
    "AvgPool1d, padding": (lambda: nn.AvgPool1d(3, stride=2, padding=1, count_include_pad=False), LINE),
    "AvgPool1d, padding counted": (lambda: nn.AvgPool1d(3, stride=2, padding=1), LINE),
    "AdaptiveAvgPool2d(1)": (lambda: nn.AdaptiveAvgPool2d(1), IMAGE),
    "AdaptiveAvgPool2d uneven": (lambda: nn.AdaptiveAvgPool2d((4, None)), IMAGE),
    "AdaptiveAvgPool1d": (lambda: nn.AdaptiveAvgPool1d(4), LINE),
    "AdaptiveMaxPool1d": (lambda: nn.AdaptiveMaxPool1d(2), LINE),
    "MaxPool2d": (lambda: nn.MaxPool2d(2, stride=1, padding=1), IMAGE),
    "MaxPool2d ceil": (lambda: nn.MaxPool2d(4, ceil_mode=True), IMAGE),
    "MaxPool1d": (lambda: nn.MaxPool1d(3, dilation=2), LINE),
    "ReLU": (lambda: nn.ReLU(), FLAT),
    "ReLU in place": (lambda: Of(lambda m, x: F.relu_(x + 1) - x), FLAT),
    "LeakyReLU": (lambda: nn.LeakyReLU(0.3), FLAT),
    "PReLU": (lambda: nn.PReLU(), FLAT),
    "PReLU of channels": (lambda: Of(lambda m, x: m.p(x), p=slopes(nn.PReLU(3))), LINE),
    "RReLU": (lambda: nn.RReLU().eval(), FLAT),
    "ReLU6": (lambda: Of(lambda m, x: F.relu6(4 * x)), FLAT),
    "Hardtanh": (lambda: nn.Hardtanh(-0.5, 2.0), FLAT),
    "Hardsigmoid": (lambda: Of(lambda m, x: F.hardsigmoid(3 * x)), FLAT),
    "Softshrink": (lambda: nn.Softshrink(), FLAT),
    "Threshold": (lambda: nn.Threshold(0.5, 0.5), FLAT),
    "clamp": (lambda: Of(lambda m, x: x.clamp(min=-1) + x.clamp_max(0.5) - x.clip(0, 1)), FLAT),
    "abs": (lambda: Of(lambda m, x: x.abs() - torch.abs(x + 1)), FLAT),
    "maximum": (lambda: Of(lambda m, x: torch.maximum(x[:, :3], x[:, 3:]) + torch.min(x[:, 1:4], x[:, :3])), FLAT),
    "maximum with a number": (lambda: Of(lambda m, x: torch.maximum(x, torch.tensor(0.25))), FLAT),
    "Maxout": (lambda: Of(lambda m, x: m.l(x).view(-1, 3, 2).max(-1)[0], l=nn.Linear(6, 6)), FLAT),
    "amax, amin": (lambda: Of(lambda m, x: torch.cat([x.amax(1), x.amin((1, 2)).unsqueeze(1)], 1)), LINE),
    "max of all": (lambda: Of(lambda m, x: x.max() - x.min()), FLAT),
    "residual": (lambda: Of(lambda m, x: m.b(F.relu(m.a(x))) + x, a=nn.Linear(6, 4), b=nn.Linear(4, 6)), FLAT),
    "arithmetic": (lambda: Of(lambda m, x: (1 - x) / 3 + 2 * x - x.neg() + torch.sub(x, x, alpha=3)), FLAT),
    "cat, stack": (lambda: Of(lambda m, x: torch.stack([torch.cat([x, torch.ones(1, 2)], 1)] * 2)), FLAT),
    "slices": (lambda: Of(lambda m, x: x[:, 1, ::2] + x[:, [0, 2], :4].sum(1) + x[..., -1:]), LINE),
    "chunk, split": (lambda: Of(lambda m, x: x.chunk(2, 2)[1] - x.split([2, 4, 2], 2)[1] + x.unbind(2)[0][0, 0]), LINE),
    "shapes": (
        lambda: Of(lambda m, x: x.flatten(1).view(-1, 4, 6).permute(2, 0, 1).transpose(0, 1).reshape(3, -1).squeeze()),
        LINE,
    ),
    "moves": (lambda: Of(lambda m, x: F.pixel_shuffle(x.flip(1).roll(1, 2).repeat(1, 2, 1, 1), 2)), IMAGE),
    "expand": (lambda: Of(lambda m, x: x.unsqueeze(1).expand(-1, 2, -1) * torch.tensor([[1.0], [2.0]])), FLAT),
    "padding": (lambda: Of(lambda m, x: F.pad(x, (1, 0, 2, 1), value=2.0).sum(2)), IMAGE),
    "padding by reflection": (lambda: nn.Sequential(nn.ReflectionPad2d(2), nn.ReplicationPad2d(1)), IMAGE),
    "Upsample": (lambda: nn.Upsample(scale_factor=2), IMAGE),
    "Upsample by size": (lambda: nn.Upsample(size=(4, 9)), IMAGE),
    "matmul": (lambda: Of(lambda m, x: x @ m.w - torch.addmm(m.w[0], x, m.w, alpha=2), w=weight(6, 3)), FLAT),
    "constants": (lambda: Of(lambda m, x: x + torch.arange(6) * 0.5 + torch.full((6,), 2.0)), FLAT),
    "mean, sum": (lambda: Of(lambda m, x: x.mean((1, 2)) + x.sum(2, keepdim=True)[:, 0]), LINE),
    "Dropout": (lambda: nn.Sequential(nn.Dropout(), nn.Dropout1d(), nn.AlphaDropout()).eval(), LINE),
    "two inputs, two outputs": (lambda: Of(lambda m, x, y: (x[:, 0, 0] + y[:, 0], F.relu(y))), [LINE, FLAT]),
}  # fmt: skip


def normalised(module: Any) -> Any:
    """A normalisation in eval mode that has seen something."""
    torch.manual_seed(2)
    module.running_mean.normal_()
    module.running_var.uniform_(0.5, 2)
    return module.eval()


def slopes(module: Any) -> Any:
    module.weight.data = torch.tensor([0.25, -0.5, 1.0])
    return module


def weight(*shape: int) -> Any:
    torch.manual_seed(4)
    return nn.Parameter(torch.randn(*shape))


@pytest.mark.parametrize("name", MODULES)
def test_values_are_those_of_the_forward_pass(name: str) -> None:
    make, shape = MODULES[name]
    torch.manual_seed(3)
    module = make()
    values_agree(module, shape)


def two_inputs() -> tuple[Any, Any]:
    rng = np.random.default_rng(11)
    return rng.standard_normal((4, 2)), rng.standard_normal(4)


ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[GraphBuilder, int], int]]] = {
    "relu": (F.relu, lambda build, node: build.relu(node)),
    "leaky": (lambda x: F.leaky_relu(x, 0.25), lambda build, node: build.units(node, (0.25, 1.0))),
    "abs": (torch.abs, lambda build, node: build.units(node, (-1.0, 1.0))),
    "hardtanh": (F.hardtanh, lambda build, node: build.clip(node, np.full(4, -1.0), np.full(4, 1.0))),
    "relu6": (F.relu6, lambda build, node: build.clip(node, np.zeros(4), np.full(4, 6.0))),
    "maxout": (
        lambda x: x.view(-1, 2, 2).amax(2),
        lambda build, node: build.maxima(node, np.arange(4), np.array([0, 2, 4])),
    ),
    "skip": (lambda x: F.relu(x) + x, lambda build, node: build.add(build.relu(node), node)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_counts_are_those_of_the_network_built_by_hand(name: str) -> None:
    torch_function, ours = ACTIVATIONS[name]
    torch.manual_seed(0)
    matrix, shift = two_inputs()
    first, second = nn.Linear(2, 4).double(), nn.Linear(4 if name != "maxout" else 2, 3).double()
    first.weight.data, first.bias.data = torch.from_numpy(matrix), torch.from_numpy(shift)
    module = Of(lambda m, x: F.relu(m.b(torch_function(m.a(x)))), a=first, b=second)
    build = GraphBuilder(2, "by hand")
    bent = ours(build, build.dense(0, matrix, shift))
    top = build.dense(bent, second.weight.detach().numpy(), second.bias.detach().numpy())
    by_hand = lower(build.graph(build.relu(top)), "by hand")
    box = pr.Box([-2, -2], [2, 2])
    expected = pr.count_regions(by_hand, box)
    assert pr.count_regions(pr.load_network(module, input_shape=(2,)), box) == expected
    assert expected > 4


def test_a_convolution_with_pooling_counts_like_its_arrays() -> None:
    """A convolution is a matrix, written out here from its definition."""
    torch.manual_seed(6)
    conv, dense = nn.Conv2d(1, 2, 2).double(), nn.Linear(8, 2).double()
    module = nn.Sequential(conv, nn.ReLU(), nn.Flatten(), dense)
    matrix, shift = np.zeros((8, 9)), np.zeros(8)
    kernel, bias = conv.weight.detach().numpy(), conv.bias.detach().numpy()
    for channel, i, j in np.ndindex(2, 2, 2):
        row = channel * 4 + i * 2 + j
        shift[row] = bias[channel]
        for a, b in np.ndindex(2, 2):
            matrix[row, (i + a) * 3 + j + b] = kernel[channel, 0, a, b]
    pairs = [(matrix, shift), (dense.weight.detach().numpy(), dense.bias.detach().numpy())]
    box = pr.Box.cube(-0.25, 0.25, 9)
    plane = pr.Slice(np.zeros(9), np.eye(9)[[0, 4]], pr.Box([-3, -3], [3, 3]))
    net = pr.load_network(module, input_shape=(1, 3, 3))
    assert np.array_equal(net.layers[0].weight, matrix)
    for domain in (box, plane):
        assert pr.count_regions(net, domain) == pr.count_regions(pr.load_network(pairs), domain)


def test_a_third_is_a_third() -> None:
    layer = pr.load_network(nn.AvgPool1d(3), input_shape=(1, 3)).layers[0]
    assert layer.exact is not None
    assert [Fraction(int(n), layer.exact.denominator) for n in layer.exact.numerators[0]] == [
        Fraction(1, 3)
    ] * 3 + [0]


def test_numbers_in_the_code_are_the_float64_of_python() -> None:
    net = pr.load_network(nn.Sequential(nn.Linear(1, 1), nn.LeakyReLU(0.1)))
    assert net.layers[0].slopes.tolist() == [[0.1, 1.0]]


FINAL = {
    "softmax": lambda x: x.softmax(-1),
    "log_softmax": lambda x: F.log_softmax(x, dim=1),
    "sigmoid": torch.sigmoid,
    "argmax": lambda x: x.argmax(1),
    "argmax of all": lambda x: torch.argmax(x),
    "argmax kept": lambda x: x.argmax(1, keepdim=True),
}


@pytest.mark.parametrize("name", FINAL)
def test_a_final_monotone_operator_is_taken_off_with_a_notice(name: str) -> None:
    torch.manual_seed(1)
    part = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4))
    net = pr.load_network(Of(lambda m, x: FINAL[name](m.part(x)), part=part), input_shape=(3,))
    assert len(net.notices) == 1
    assert "taken off" in net.notices[0]
    x = torch.rand(6, 3, dtype=torch.float64)
    np.testing.assert_allclose(net(x.numpy()), part.double()(x).detach().numpy())


def test_what_is_taken_off_is_compared_with_the_whole_module() -> None:
    """A module that behaves differently while it is traced is found out behind a softmax, too."""
    for final in FINAL.values():
        part = nn.Linear(3, 4)
        module = Of(
            lambda m, x, final=final: final(m.part(x) if torch.compiler.is_exporting() else -m.part(x)),
            part=part,
        )
        with pytest.raises(FormatError, match="differs from its source"):
            pr.load_network(module, input_shape=(3,))


LINEAR = nn.Linear(2, 2)
REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda x: torch.tanh(x), r"Of: operator aten.tanh.default \(node 'tanh'\) is not supported"),
    (lambda x: x * x, "multiplies two tensors that depend on the network's input"),
    (lambda x: torch.sigmoid(x) + 1, "aten.sigmoid.default .* only as the last operator"),
    (lambda x: x.softmax(1), "aten.softmax.int .* only as the last operator"),
    (lambda x: LINEAR(x.repeat(2, 1)).softmax(1), r"axis 1 of \(2, 2\), which is only a part of the outputs"),
    (lambda x: F.dropout(x), r"operator aten.dropout.default is in training mode \(node 'dropout'\)"),
    (lambda x: torch.where(x > 0, x, 0 * x), "aten.gt.Scalar"),
    (lambda x: x.max(1)[1].double(), "its output 1 is used"),
    (lambda x: (x * 8).to(torch.int64), "aten.to.dtype .*casts to torch.int64|rounds"),
    (lambda x: F.threshold(x, 1.0, 0.0), "jumps"),
    (lambda x: F.gelu(x), "aten.gelu.default"),
    (lambda x: F.layer_norm(x, (2,)), "aten.layer_norm.default"),
    (lambda x: x @ x.T, "bilinear"),
    (lambda x: x if x.sum() > 0 else -x, "torch.export cannot trace it with inputs of shape"),
    (lambda x: F.adaptive_max_pool1d(x[None].repeat(1, 1, 2)[:, :, :3], 2), "windows of different sizes"),
]


@pytest.mark.parametrize(("function", "match"), REFUSED, ids=[match for _, match in REFUSED])
def test_what_is_not_piecewise_linear_is_refused_by_operator_and_node(
    function: Callable[[Any], Any], match: str
) -> None:
    with pytest.raises(UnsupportedError, match=match):
        pr.load_network(Of(lambda m, x: function(x)), input_shape=(2,))


def test_a_normalisation_in_training_is_refused() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU())
    with pytest.raises(UnsupportedError, match="it is in training mode; .eval"):
        pr.load_network(module)
    with pytest.raises(UnsupportedError, match="module Sequential.1 is in training mode"):
        pr.load_network(nn.Sequential(nn.Conv1d(1, 2, 1), nn.BatchNorm1d(2)), input_shape=(1, 3))
    assert pr.load_network(module.eval()).n_neurons == 3


def test_a_module_keeps_its_parameters_and_its_mode() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    before = module[0].weight.detach().clone()
    pr.load_network(module)
    assert module.training
    assert module[0].weight.dtype == torch.float32
    assert torch.equal(before, module[0].weight)


def test_the_shape_of_the_input_is_asked_for_where_it_cannot_be_seen() -> None:
    with pytest.raises(UnsupportedError, match="cannot be seen from a Conv2d; pass input_shape"):
        pr.load_network(nn.Sequential(nn.Conv2d(1, 1, 2), nn.Flatten(), nn.Linear(4, 1)))
    with pytest.raises(UnsupportedError, match="cannot be seen from a Of; pass input_shape"):
        pr.load_network(Of(lambda m, x: x))
    for wrong in ((), (0,), (2.0,), [(3,), "x"]):
        with pytest.raises(OptionError, match="input_shape is"):
            pr.load_network(nn.Linear(2, 2), input_shape=wrong)
    assert pr.load_network(nn.Linear(2, 2), input_shape=2).n_inputs == 2
    with pytest.raises(OptionError, match="a list has its own"):
        pr.load_network([([[1.0]], [0.0])], input_shape=(1,))


def test_a_forward_pass_that_cannot_run_gives_a_notice() -> None:
    def forward(module: Any, x: Any) -> Any:
        if not torch.compiler.is_exporting():
            raise RuntimeError("no")
        return module.part(x)

    net = pr.load_network(Of(forward, part=nn.Linear(2, 2)), input_shape=(2,))
    assert net.notices == ("Of: its forward pass cannot run: not compared",)
