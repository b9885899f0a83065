"""Networks in .npz files: round trips, and archives made to break a reader."""

from __future__ import annotations

import io
import pickle
import struct
import tempfile
import tracemalloc
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import polyregions as pr
from polyregions.errors import DomainError, FormatError, OptionError
from polyregions.io.models.load import load_network
from polyregions.io.models.npz import network_of_npz, save_network_npz
from polyregions.io.specs.load import load_domain
from polyregions.networks.graph import GraphBuilder, lower
from polyregions.networks.network import Network

W = np.array([[1.0, 2.0], [3.0, -4.0]])


def archive(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def members(compression: int = zipfile.ZIP_STORED, **content: bytes) -> bytes:
    """A zip archive of raw members; a double underscore in a name stands for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as z:
        for name, data in content.items():
            z.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def npy(header: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + body


def described(shape: str, kind: str = "'<f8'") -> str:
    return f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}}}"


def read(data: bytes, **limits: int) -> Network:
    return network_of_npz(data, "a.npz", "a.npz", **limits)


def refuse(data: bytes, match: str, **limits: int) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=match) as caught:
            read(data, **limits)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith("a.npz")


def same(a: Network, b: Network) -> bool:
    return a.fingerprint() == b.fingerprint()


def test_round_trip_of_floats(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    layers = [
        (rng.standard_normal((3, 2)), rng.standard_normal(3)),
        (rng.standard_normal((2, 3)), [0.0, 1.0]),
    ]
    for final in (None, "relu"):
        net = Network.from_layers(layers, final_activation=final)
        save_network_npz(net, tmp_path / "net.npz")
        back = load_network(tmp_path / "net.npz")
        assert same(back, net)
        assert back.name == "net.npz"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fractions(max_denominator=10**30), min_size=6, max_size=6), st.booleans())
def test_round_trip_of_rationals(entries: list[Fraction], relu: bool) -> None:
    layers = [([entries[:2], entries[2:4]], entries[4:]), ([[1, Fraction(1, 3)]], [0.5])]
    net = Network.from_layers(layers, final_activation="relu" if relu else None)
    assert same(read(_saved(net)), net)


def _saved(net: Network) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        save_network_npz(net, Path(folder) / "n.npz")
        return (Path(folder) / "n.npz").read_bytes()


def test_very_long_rationals_survive() -> None:
    net = Network.from_layers([([[Fraction(1, 3**9000)]], [Fraction(2**500, 3)])])
    stored, back = net.layers[0].exact, read(_saved(net)).layers[0].exact
    assert stored is not None
    assert back is not None
    assert back.numerators.tolist() == stored.numerators.tolist()
    assert back.denominator == stored.denominator == 3**9000


def test_saving_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    net = Network.from_layers([(W, [0, 0]), (W, [0, 0])])
    with pytest.raises(FormatError, match="ends in .npz"):
        save_network_npz(net, tmp_path / "a.txt")
    with pytest.raises(FormatError, match="cannot be written"):
        save_network_npz(net, tmp_path / "none" / "a.npz")


def test_all_units_and_maxima_survive() -> None:
    build = GraphBuilder(2, "test")
    leaky = build.units(build.dense(0, W, np.zeros(2)), (0.1, 1.0))
    largest = build.maxima(build.join([leaky, 0]), np.arange(4), np.array([0, 3, 4]))
    net = lower(build.graph(build.units(largest, (-1.0, 1.0))), "net")
    back = read(_saved(net))
    assert back.fingerprint() == net.fingerprint()
    assert net.max_groups is not None and back.max_groups is not None
    assert back.max_groups.neurons.tolist() == net.max_groups.neurons.tolist()
    assert back.max_groups.offsets.tolist() == net.max_groups.offsets.tolist() == [0, 2, 2]


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"S1": np.zeros((1, 2))}, r"S1 is float64 \(1, 2\), expected"),
        ({"S1": np.full((2, 2), np.nan)}, "S1 is"),
        ({"S1": np.zeros((2, 2), dtype=np.int64)}, "S1 is"),
        ({"max_neurons": np.array([0])}, "max_offsets is missing"),
        ({"max_neurons": np.array([7]), "max_offsets": np.array([0, 1])}, "comparators among 2 neurons"),
        ({"max_neurons": np.array([-1]), "max_offsets": np.array([0, 1])}, "comparators among 2 neurons"),
        ({"max_neurons": np.array([0]), "max_offsets": np.array([0, 2])}, "comparators among 2 neurons"),
        ({"max_neurons": np.array([0]), "max_offsets": np.array([0, 2, 1])}, "comparators among 2 neurons"),
        ({"max_neurons": np.array([0.0]), "max_offsets": np.array([0, 1])}, "no list of int64"),
    ],
)
def test_slopes_and_maxima_that_do_not_fit(arrays: dict[str, Any], match: str) -> None:
    with pytest.raises(FormatError, match=match):
        read(archive(W1=W, b1=[0, 0], W2=W, b2=[0, 0], **arrays))


def test_element_types_and_orders() -> None:
    for array in (W.astype("f4"), W.astype(">f8"), np.asfortranarray(W), W.astype(int), W.astype("f2")):
        assert np.array_equal(read(archive(W1=array, b1=[0, 0])).layers[0].weight, W)
    assert same(
        read(archive(W1=W, b1=[0, 0], final_activation="relu")), Network.from_layers([(W, [0, 0])], "relu")
    )


BAD_ARRAYS: list[tuple[dict[str, Any], str]] = [
    ({}, "holds nothing, expected arrays W1, b1"),
    ({"weights": W}, "holds weights, expected arrays W1, b1"),
    ({"W1": W}, "array b1 is missing"),
    ({"W1": W, "b1": [0, 0], "W3": W, "b3": [0, 0]}, "array W2 is missing, expected W1, b1, ..., W3, b3"),
    ({"W999999": W}, "array W1 is missing"),
    ({"W1": W, "b1": [0, 0, 0]}, "layer 1: bias has shape"),
    ({"W1": W[0], "b1": [0]}, "layer 1: weight has shape"),
    ({"W1": W, "b1": [0, np.nan]}, "a.npz, layer 1, bias.* is nan, expected a finite number"),
    ({"W1": W, "b1": [0, np.inf]}, "is inf, expected a finite number"),
    (
        {"W1": W, "b1": ["a", "b"]},
        "layer 1, bias: values of type <U1, expected a rectangular array of real numbers",
    ),
    ({"W1": W * 1j, "b1": [0, 0]}, "values of type complex128"),
    ({"W1": W, "b1": [0, 0], "W2": np.ones((1, 3)), "b2": [0]}, "layer 2: weight has 3 columns, expected 2"),
    ({"W1": W, "b1": [0, 0], "final_activation": "tanh"}, "final_activation is .*tanh.*expected one of"),
    ({"W1": W, "b1": [0, 0], "final_activation": 1}, "final_activation is"),
    ({"W1": W, "b1": [0, 0], "N1": [["0x1"]], "D1": "0x1"}, "N1 and D1 have shapes"),
    ({"W1": W, "b1": [0, 0], "N1": W}, "array N1 is missing or not of strings"),
    ({"W1": W, "b1": [0, 0], "N1": [["0x1"] * 3] * 2, "D1": "0x3"}, "are not the floats nearest to N1 / D1"),
    ({"W1": W, "b1": [0, 0], "N1": [["1"] * 3] * 2, "D1": "0x3"}, "'1', expected a hexadecimal integer"),
    ({"W1": W, "b1": [0, 0], "N1": [["0x1"] * 3] * 2, "D1": "0x0"}, "D1 is 0x0, expected a positive integer"),
]


UNUSED: list[tuple[dict[str, Any], str]] = [
    ({"W0": W, "b0": [0, 0], "W1": W, "b1": [0, 0]}, "array 'W0' has no use here.*known are W1, b1"),
    ({"W01": W}, "array 'W01' has no use here"),
    ({"w2": W, "b2": [0, 0]}, "array W2 is missing"),
    ({"w1": W}, "array 'w1' has no use here"),
    ({"activation": "tanh"}, "array 'activation' has no use here; did you mean 'final_activation'"),
    ({"final_activations": "relu"}, "did you mean 'final_activation'"),
    ({"max_neuron": [0]}, "did you mean 'max_neurons'"),
    ({"S1": np.ones((2, 2)), "s1": np.ones((2, 2))}, "array 's1' has no use here"),
    ({"S2": np.ones((2, 2))}, "array W2 is missing"),
    ({"note": "text"}, "array 'note' has no use here"),
]


@pytest.mark.parametrize(("arrays", "match"), UNUSED)
def test_arrays_without_a_use_are_refused_by_name(arrays: dict[str, Any], match: str) -> None:
    refuse(archive(**({"W1": W, "b1": [0, 0]} | arrays)), match)


@pytest.mark.parametrize(("arrays", "match"), BAD_ARRAYS)
def test_arrays_that_are_no_network(arrays: dict[str, Any], match: str) -> None:
    refuse(archive(**arrays), match)


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "opened",))

    buffer = io.BytesIO()
    np.savez(buffer, W1=np.array([Bomb()], dtype=object), b1=[0])
    refuse(buffer.getvalue(), "array 'W1': holds pickled objects")
    refuse(members(W1__npy=pickle.dumps(Bomb())), "damaged npy header")
    refuse(pickle.dumps(Bomb()), "expected a zip archive")
    assert not (tmp_path / "opened").exists()


def test_zip_bombs_are_refused_by_their_directory() -> None:
    bomb = members(zipfile.ZIP_DEFLATED, W1__npy=npy(described("(10000000,)"), bytes(80_000_000)))
    assert len(bomb) < 200_000
    refuse(bomb, "declares 80000.* bytes, expected at most 1000000", max_bytes=1_000_000)


def test_a_directory_that_lies_about_sizes() -> None:
    honest = members(zipfile.ZIP_DEFLATED, W1__npy=npy(described("(1000000,)"), bytes(8_000_000)))
    size = 8_000_000 + len(npy(described("(1000000,)")))
    lying = honest.replace(struct.pack("<I", size), struct.pack("<I", 100))
    assert lying != honest
    refuse(lying, "damaged zip archive")


HEADERS = {
    described("(1000000, 1000000)"): "takes 8000000000000 bytes, but 16 are there",
    described("(-1, -2)"): "bytes, but 16 are there",
    described("(2,)", "'O'"): "pickled objects",
    described("(2,)", "'nonsense'"): "damaged npy header",
    described("(0, 10000000000000)"): "but 16 are there",
    described("(2**99,)"): "damaged npy header",
    "{" * 5000: "damaged npy header",
    "__import__('os').abort()": "damaged npy header",
    "x" * 20_000: "damaged npy header",
}


@pytest.mark.parametrize("header", HEADERS)
def test_headers_are_compared_with_the_bytes(header: str) -> None:
    refuse(members(W1__npy=npy(header, bytes(16))), HEADERS[header])


def test_empty_arrays_with_huge_shapes() -> None:
    refuse(members(W1__npy=npy(described("(0, 10000000000000)"))), "holds nothing")


@pytest.mark.parametrize("code", [0x110000, 2**32 - 1, 0xD800])
@pytest.mark.parametrize("order", "<>")
def test_text_of_no_characters(code: int, order: str) -> None:
    """Found by fuzzing: numpy raises SystemError where such an array becomes strings."""
    stored = io.BytesIO()
    np.save(stored, np.array("ab", dtype=f"{order}U2"))
    data = stored.getvalue()[:-4] + struct.pack(f"{order}I", code)
    with pytest.raises(
        FormatError, match=f"array 'a': holds the code point {code}, which is not a character"
    ):
        network_of_npz(members(a__npy=data), "a.npz", "a.npz")


def test_versions_and_truncated_members() -> None:
    refuse(members(W1__npy=npy(described("(2,)"), bytes(16), b"\x09\x00")), "npy version|damaged npy header")
    refuse(members(W1__npy=b"\x93NUM"), "damaged npy header")
    refuse(members(W1__npy=b""), "damaged npy header")
    refuse(members(readme__txt=b"hello"), "member 'readme.txt', expected only .npy members")


def test_damaged_archives() -> None:
    good = archive(W1=W, b1=[0, 0])
    for data in (good[:-1], good[: len(good) // 2], good[:10], b"PK", b"PK\x05\x06" + bytes(18)):
        refuse(data, "damaged zip archive|holds nothing")
    refuse(b"\x93NUMPY" + good, "expected a zip archive")
    spoiled = bytearray(good)
    spoiled[good.index(W.tobytes())] ^= 1
    refuse(bytes(spoiled), "damaged zip archive.*CRC")


def test_duplicate_and_encrypted_members() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z, pytest.warns(UserWarning, match="Duplicate"):
        z.writestr("W1.npy", b"1")
        z.writestr("W1.npy", b"2")
    refuse(buffer.getvalue(), "two members are named 'W1.npy'")
    good = archive(W1=W, b1=[0, 0])
    locked = bytearray(good)
    for signature, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        position = good.index(signature) + at
        locked[position] |= 1
    refuse(bytes(locked), "encrypted")


def test_many_members() -> None:
    refuse(members(**{f"a{i}__npy": b"" for i in range(10_001)}), "10001 members, expected at most 10000")


def test_npz_domains(tmp_path: Path) -> None:
    file = tmp_path / "d.npz"
    file.write_bytes(archive(lower=[-1, 0], upper=np.array([1, 2], dtype=np.float32)))
    box = load_domain(file)
    assert (box.lower.tolist(), box.upper.tolist()) == ([-1, 0], [1, 2])
    for arrays, kind, match in [
        ({"lower": [1.0], "upper": [0.0]}, DomainError, "d.npz: .*expected lower <= upper"),
        ({"lower": [1.0], "upper": [2.0, 3.0]}, DomainError, "d.npz: "),
        ({"lower": [np.nan], "upper": [2.0]}, DomainError, "d.npz: "),
        ({"lower": ["a"], "upper": [2.0]}, FormatError, "lower: values of type"),
        ({"x": [1.0]}, FormatError, "holds x, expected arrays lower and upper"),
    ]:
        file.write_bytes(archive(**arrays))
        with pytest.raises(kind, match=match):
            load_domain(file)


BOX = {"lower": [0.0, 0.0], "upper": [1.0, 1.0]}
ROWS = {"A": [[1.0, 1.0]], "b": [1.0]}

UNUSED_IN_DOMAINS: list[tuple[dict[str, Any], str]] = [
    (ROWS | {"strict": [True]}, "array 'strict' has no use here.*known are lower, upper, A, b"),
    (BOX | {"Aeq": [[1.0, 1.0]], "beq": [1.0]}, "array 'Aeq' has no use here"),
    (BOX | {"A": [[1.0, 1.0]]}, "array 'A' has no use here"),
    (ROWS | {"lower": [0.0, 0.0]}, "array 'lower' has no use here"),
    (BOX | {"uper": [1.0, 1.0]}, "array 'uper' has no use here"),
]


@pytest.mark.parametrize(("arrays", "match"), UNUSED_IN_DOMAINS)
def test_arrays_of_domains_without_a_use(arrays: dict[str, Any], match: str, tmp_path: Path) -> None:
    file = tmp_path / "d.npz"
    file.write_bytes(archive(**arrays))
    with pytest.raises(FormatError, match=match):
        load_domain(file)


def test_a_box_and_rows_are_their_intersection(tmp_path: Path) -> None:
    """The unit square where x + y <= 1: half of its area, of which relu(x - y) has two halves."""
    file = tmp_path / "d.npz"
    file.write_bytes(archive(**BOX, **ROWS))
    domain = load_domain(file)
    net = Network.from_layers([([[1, -1]], [0]), ([[1]], [0])])
    volumes = pr.region_volumes(pr.enumerate_regions(net, domain))
    assert np.allclose(volumes, [0.25, 0.25])
    file.write_bytes(archive(**BOX, A=[[1.0]], b=[1.0]))
    with pytest.raises(DomainError, match="have 2 entries, A has 1 columns"):
        load_domain(file)


@pytest.mark.parametrize("save", ["regions", "certificate"])
def test_results_with_an_array_too_many(save: str, tmp_path: Path) -> None:
    net = Network.from_layers([([[1, -1]], [0]), ([[1]], [0])])
    regions = pr.enumerate_regions(net, pr.Box.cube(-1, 1, 2), certify=True)
    file = tmp_path / "r.npz"
    pr.save(regions if save == "regions" else regions.certificate, file)
    load = pr.load_regions if save == "regions" else pr.load_certificate
    load(file)
    with np.load(file) as stored:
        file.write_bytes(archive(**stored, pattern=[1]))
    with pytest.raises(FormatError, match="array 'pattern' has no use here"):
        load(file)


def test_a_network_is_saved_as_any_result(tmp_path: Path) -> None:
    """A simplified network, rationals, maxima and a final function: the same network again."""
    rng = np.random.default_rng(3)
    net = Network.from_layers([(rng.standard_normal((6, 2)), rng.standard_normal(6)), (np.ones((1, 6)), [0])])
    simple, _ = pr.simplify(net, pr.enumerate_regions(net, pr.Box.cube(0.2, 0.4, 2)))
    third = Network.from_layers([([[Fraction(1, 3), 2]], [0]), ([[1]], [Fraction(1, 7)])])
    for network in (simple, third, replace(third, final_function="Sigmoid")):
        file = tmp_path / "n.npz"
        pr.save(network, file)
        again = pr.load_network(file)
        assert again.fingerprint() == network.fingerprint()
        assert again.final_function == network.final_function
    with pytest.raises(OptionError, match="expected a name that ends in one of .npz"):
        pr.save(third, tmp_path / "n.onnx")
