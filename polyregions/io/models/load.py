"""`load_network`: picks the reader by a file's suffix or by the kind of object."""

from __future__ import annotations

import os
import sys
from importlib import resources
from pathlib import Path
from typing import Any, Final

from polyregions.errors import FormatError, OptionError, UnsupportedError
from polyregions.io.files import MAX_BYTES, read_bytes, read_text, shortened, suffix_of
from polyregions.io.models.keras.read import network_of_keras
from polyregions.io.models.nnet import network_of_nnet
from polyregions.io.models.npz import network_of_npz
from polyregions.io.models.onnx.read import network_of_onnx
from polyregions.io.models.sklearn import network_of_estimator
from polyregions.io.models.torch.read import network_of_module
from polyregions.networks.network import Network

EXAMPLE_PREFIX: Final = "example:"
PICKLES: Final = frozenset({".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin"})
KERAS_FILES: Final = frozenset({".keras", ".h5", ".hdf5"})


def load_network(
    source: Any,
    *,
    input_shape: Any = None,
    output: str | None = None,
    check: bool = True,
    max_bytes: int = MAX_BYTES,
) -> Network:
    """A network from a file, a packaged example, or an object of another library.

    Args:
        source: the path of a ``.onnx``, ``.nnet`` or ``.npz`` file, or of one of these compressed
            (``.gz``); the name of a packaged network such as ``"example:two-moons"``; a
            `torch.nn.Module`; a `keras.Model`; an `MLPClassifier` or `MLPRegressor` of scikit-learn, or a `Pipeline`
            of scalers, PCA and selections of features that ends in one; a list of
            ``(weight, bias)`` pairs with shapes (n, k) and (n,) and ReLU between them; or a `Network`, which is
            returned as it is.
        input_shape: of a module or model whose input's shape cannot be seen from it: the shape of one point without
            the batch axis, such as ``(1, 28, 28)``, or a list of such for several inputs.
        output: name of the output of an ONNX file that is wanted; if None all of them are, but for the labels of a
            classifier that gives its scores as well.
        check: compare the result with its source on random points where the source can be run.
        max_bytes: limit of a file's size, before and after decompression.

    Raises:
        FormatError: a file that is damaged, hostile or not what its name claims.
        UnsupportedError: operators or modules that are not piecewise linear, by name.
        NetworkError: pairs that do not make a network.
        OptionError: an unknown example, an object of another kind, an input shape that is none or has no use, or an
            output that the source does not have.
        MissingExtraError: the package that reads this kind is not installed.

    >>> load_network([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    <Network network: 1-2-1, 2 neurons>
    """
    if output is not None and (not isinstance(source, (str, os.PathLike)) or suffix_of(source) != ".onnx"):
        raise OptionError("output names an output of an ONNX file; other sources have no names of outputs")
    if _is_of(source, "keras", "Model"):  # first: on its backend torch, a Keras model is a torch module, too
        return network_of_keras(source, input_shape=input_shape, check=check)
    if _is_of(source, "torch.nn", "Module"):
        return network_of_module(source, input_shape=input_shape, check=check)
    if input_shape is not None:
        raise OptionError(
            f"input_shape is for torch modules and Keras models; a {type(source).__name__} has its own"
        )
    if isinstance(source, Network):
        return source
    if isinstance(source, str) and source.startswith(EXAMPLE_PREFIX):
        return _load_example(source.removeprefix(EXAMPLE_PREFIX), max_bytes)
    if isinstance(source, (str, os.PathLike)):
        return _load_file(source, output, check, max_bytes)
    if _is_of(source, "sklearn.neural_network", "MLPClassifier", "MLPRegressor") or _is_of(
        source, "sklearn.pipeline", "Pipeline"
    ):
        return network_of_estimator(source, check=check)
    if isinstance(source, (list, tuple)):
        return Network.from_layers(source)
    raise OptionError(
        f"cannot load a network from a {type(source).__name__}, expected a path, 'example:NAME', "
        "a torch.nn.Module, a keras.Model, an MLPClassifier or MLPRegressor, a Pipeline that ends in one, a list of "
        "(weight, bias) pairs, a Network"
    )


def _load_file(path: str | os.PathLike[str], output: str | None, check: bool, max_bytes: int) -> Network:
    where, name, suffix = str(path), Path(path).name, suffix_of(path)
    match suffix:
        case ".onnx":
            data, folder = read_bytes(path, max_bytes), Path(path).parent
            return network_of_onnx(
                data, where, name, folder=folder, output=output, check=check, max_bytes=max_bytes
            )
        case ".nnet":
            return network_of_nnet(read_text(path, max_bytes), where, name)
        case ".npz":
            return network_of_npz(read_bytes(path, max_bytes), where, name, max_bytes)
    if suffix in PICKLES:
        raise UnsupportedError(
            f"{where}: is a pickle, which may execute anything and is never opened; "
            "build the torch module in your program and hand it to load_network"
        )
    if suffix in KERAS_FILES:
        raise UnsupportedError(
            f"{where}: names classes that Keras builds when it opens the file, so it is never opened; "
            "call keras.models.load_model in your program and hand the model to load_network"
        )
    raise FormatError(
        f"{where}: unknown kind of network file {suffix!r}, expected .onnx, .nnet or .npz (or .gz behind it)"
    )


def _load_example(name: str, max_bytes: int) -> Network:
    files = {
        entry.name.removesuffix(".npz"): entry
        for entry in resources.files("polyregions.io.models.data").iterdir()
        if entry.name.endswith(".npz")
    }
    if name not in files:
        listed = ", ".join(f"{EXAMPLE_PREFIX}{n}" for n in sorted(files)) or "none"
        raise OptionError(f"unknown example {shortened(name)!r}, there are: {listed}")
    return network_of_npz(files[name].read_bytes(), EXAMPLE_PREFIX + name, EXAMPLE_PREFIX + name, max_bytes)


def _is_of(source: Any, module: str, *kinds: str) -> bool:
    """Whether an object is of a library's class: only if the library is imported already can it be."""
    library = sys.modules.get(module)
    return library is not None and isinstance(source, tuple(getattr(library, kind) for kind in kinds))
