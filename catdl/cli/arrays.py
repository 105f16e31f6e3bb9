"""Arrays in and out of files for `catdl run`. Imports numpy, torch and safetensors, so it is itself imported late."""

from __future__ import annotations

import inspect
import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import nn

from catdl import diagnostics as wrong
from catdl.cli.files import reason
from catdl.data.nested import trees
from catdl.data.ragged import Batch, Port
from catdl.data.ragged import pack as packed
from catdl.data.tree import Tree
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.model import Diagram
from catdl.types.dtypes import storage
from catdl.types.poly import sym
from catdl.types.rebuild import value_of
from catdl.types.sizes import Poly
from catdl.types.types import Kind, Leaf, axis_sizes, show_form, show_kind

Arrays: TypeAlias = dict[str, np.ndarray[Any, Any]]
_ONE = ""  # the name of the array of an .npy file
_STORED = {"float": np.float32, "int": np.int64, "bool": np.bool_, "complex": np.complex64}
_NUMBERS = ("int", "float", "complex")


def read(path: str) -> Arrays | Diagnostic:
    """The arrays of an .npy file (under the name "") or of an .npz file. Never unpickles."""
    try:
        with Path(path).open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {_ONE: loaded}
            return {name: loaded[name] for name in loaded.files}
    except MemoryError:
        return wrong.FileUnreadable(path, "it does not fit into memory")
    except OSError as error:
        return wrong.FileUnreadable(path, reason(error))
    except (ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return wrong.FileUnreadable(path, "it is no .npy or .npz file of plain numbers")


def load_weights(module: nn.Module, path: str) -> Diagnostic | None:
    """Put the weights of a safetensors file into a module, all of them or none."""
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    try:
        load_model(module, path, strict=True)
    except OSError as error:
        return wrong.FileUnreadable(path, reason(error).removesuffix(f": {path}"))  # safetensors says where again
    except SafetensorError:
        return wrong.FileUnreadable(path, "it is no safetensors file")
    except RuntimeError as error:
        return wrong.InputMismatch(path, _one_line(error))
    return None


def apply(
    module: nn.Module, diagram: Diagram, arrays: Mapping[str, Any], path: str, words: Mapping[str, int] | None = None
) -> Arrays | Diagnostic:
    """Run a module in evaluation mode on arrays, lists of numbers and trees given by port, or on the only one."""
    ports = list(inspect.signature(module.forward).parameters)
    leaves = [diagram.wires[wire].type for wire in diagram.inputs]
    if len(ports) > len(leaves) and isinstance(arrays.get(_ONE), list):  # samples of different size
        named = [Port(leaf, name) for leaf, name in zip(leaves, ports, strict=False)]
        try:
            return _run(module, packed(named, arrays[_ONE]), diagram)
        except ValueError as error:
            return wrong.InputMismatch(path, _one_line(error))
    if len(ports) == len(arrays) == 1 and (_ONE in arrays or ports[0] in arrays):
        given = list(arrays.values())
    elif set(ports) == set(arrays):
        given = [arrays[port] for port in ports]
    else:
        shown = "one array" if list(arrays) == [_ONE] else f"the arrays {', '.join(arrays)}" if arrays else "no array"
        wanted = f"an .npz with {', '.join(ports)} is needed" if ports else "the morphism takes no input"
        return wrong.InputMismatch(path, f"it holds {shown}; {wanted}")
    offsets = dict(zip(ports[len(leaves) :], given[len(leaves) :], strict=True))
    try:
        given = [_read(leaf, value, words or {}) for leaf, value in zip(leaves, given, strict=False)]
    except ValueError as error:
        return wrong.InputMismatch(path, _one_line(error))
    sizes = _dims(leaves, given)
    arguments: list[torch.Tensor | Tree] = []
    for port, leaf, array in zip(ports, leaves, given, strict=False):
        if isinstance(array, Tree):
            arguments.append(array)
            continue
        tensor = _tensor(array, storage(leaf.kind))
        if isinstance(tensor, str):
            return wrong.InputMismatch(path, f"input {port} is {show_kind(leaf.kind)}, and {tensor}")
        outside = _outside(tensor, leaf.kind, sizes)  # of a var dim the module itself knows the ranges
        if outside is not None:
            return wrong.InputMismatch(path, f"input {port} holds {outside}, which is no {show_kind(leaf.kind)}")
        arguments.append(tensor)
    try:
        at = {port: torch.as_tensor(np.asarray(array)) for port, array in offsets.items()}
        return _run(module, Batch(tuple(arguments), at), diagram)
    except (ValueError, TypeError, IndexError, RuntimeError) as error:
        return wrong.InputMismatch(path, _one_line(error))


def _run(module: nn.Module, batch: Batch, diagram: Diagram) -> Arrays:
    module.eval()
    with torch.no_grad():
        return _named(module(*batch.inputs, **batch.offsets), diagram.codomain_names)


def _read(leaf: Leaf, value: Any, words: Mapping[str, int]) -> np.ndarray[Any, Any] | Tree:
    """What a port is given as an array, or as trees. Raises ValueError."""
    if leaf.kind.form is None:
        return np.asarray(value)
    if isinstance(value, np.ndarray):
        raise ValueError(f"an array holds no trees of {show_form(leaf.kind.form)}; write them as JSON or s-expressions")
    if not isinstance(value, list):
        raise ValueError(f"a list of trees of {show_form(leaf.kind.form)} is needed")
    return trees(leaf.kind.form, value, words)


def _outside(tensor: torch.Tensor, kind: Kind, sizes: dict[str, int]) -> int | None:
    """An index that a `Fin(n)` does not have, if there is one."""
    size = kind.size
    if size is None or not tensor.numel():
        return None
    least, most = int(tensor.min()), int(tensor.max())
    if least < 0:
        return least
    known = isinstance(size, int) or size.syms <= sizes.keys()
    return most if known and most >= value_of(size, sizes) else None


def _dims(leaves: list[Leaf], arrays: list[np.ndarray[Any, Any] | Tree]) -> dict[str, int]:
    """The free dims that the shapes tell; what does not fit is found by the module itself."""
    found: dict[str, int] = {}
    for leaf, array in zip(leaves, arrays, strict=True):
        sizes = axis_sizes(leaf)
        for size, here in zip(reversed(sizes), reversed(array.shape), strict=False):
            for name in size.syms if isinstance(size, Poly) else ():
                if size == sym(name):
                    found.setdefault(name, here)
    return found


def pack(arrays: Arrays, path: str) -> bytes | Diagnostic:
    """The bytes of an .npy file for one array, of an .npz file for any number of them."""
    file = io.BytesIO()
    if path.endswith(".npz"):
        np.savez(file, **{name or "y": array for name, array in arrays.items()})  # type: ignore[arg-type]
    elif len(arrays) == 1:
        np.save(file, next(iter(arrays.values())), allow_pickle=False)
    else:
        return wrong.OutputUnwritable(path, f"there are {len(arrays)} outputs; give `-o` a name that ends in .npz")
    return file.getvalue()


def _tensor(array: np.ndarray[Any, Any], stored: str) -> torch.Tensor | str:
    """An array as the tensor that a port wants, or why it is none. What loses nothing is converted."""
    order = {"b": ("bool",), "i": _NUMBERS, "u": _NUMBERS, "f": ("float", "complex"), "c": ("complex",)}
    if array.dtype.kind not in order:
        return f"an array of {array.dtype} holds no numbers"
    if stored not in order[array.dtype.kind]:
        return f"an array of {array.dtype} is not"
    return torch.from_numpy(array.astype(_STORED[stored]))


def _named(result: torch.Tensor | tuple[torch.Tensor, ...], ports: tuple[str | None, ...]) -> Arrays:
    """The tensors of a result by port; what has none is `y0`, `y1`, … by its place."""
    if isinstance(result, torch.Tensor):
        return {_ONE: result.detach().numpy()}
    names = [port or f"y{place}" for place, port in enumerate(ports)]
    if len(set(names)) < len(names):
        names = [f"y{place}" for place in range(len(names))]
    return {name: tensor.detach().numpy() for name, tensor in zip(names, result, strict=True)}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
