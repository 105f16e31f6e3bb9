"""FSDP2 over a compiled module, in groups that keep together what is tied.

A repeated block is a group: its weights are gathered when it is called and given back when it has run. A weight that is
read from outside of it would not be there: so it is where one weight serves many rounds, made into something once and
handed in. Such a block is no group; its weights are gathered with those of a module around it that reads them. Who
reads what stands in the text of the classes, printed or compiled, with what was changed there by hand.

    groups(model)               {"": ["wte", "layernorm.weight", …], "block.0": ["block.0.up.weight", …], …}
    shard(model, mesh=mesh)     the model itself, each group sharded over the mesh
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from types import FunctionType
from typing import Any, TypeVar

from torch import nn

from catdl.torch.sites import above

Model = TypeVar("Model", bound=nn.Module)

_CONTAINERS = (nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)
_MAKING = {"__init__", "reset_parameters"}  # what runs before there is anything to gather


def shard(model: Model, **options: Any) -> Model:
    """Apply `fully_shard` to every group from the inside out, with its options; gives the module itself."""
    from torch.distributed.fsdp import fully_shard

    for name in reversed(groups(model)):
        fully_shard(model.get_submodule(name), **options)
    return model


def groups(model: nn.Module) -> dict[str, list[str]]:
    """The modules whose call gathers weights, each with their keys: the root and blocks in lists, outer ones first.

    A block of which something is read from outside is none of them, be it a weight or a module that is called.
    """
    readers, entered = _readers(model)
    found: dict[str, list[str]] = {"": []}
    for name, block in _blocks(model):
        inside = {path for path, _ in block.named_modules(prefix=name)}
        if name not in entered and all(readers.get(id(weight), set()) <= inside for weight in block.parameters()):
            found[name] = []
    for key, _ in model.named_parameters():
        parts = key.split(".")
        holders = (".".join(parts[:k]) for k in range(len(parts) - 1, -1, -1))
        found[next(holder for holder in holders if holder in found)].append(key)
    return {name: keys for name, keys in found.items() if keys or not name}


def _file(part: nn.Module) -> str:
    """Where its class is written, also if `fully_shard` has put one of its own before it."""
    return str(getattr(type(part).forward, "__module__", ""))


def _blocks(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The elements of the lists of modules that stand in the file's own classes, the outer ones first."""
    stack = [("", model)]
    file = _file(model)
    while stack:
        name, part = stack.pop()
        for last, child in part.named_children():
            path = f"{name}.{last}" if name else last
            container = isinstance(child, _CONTAINERS)
            if isinstance(part, nn.ModuleList) and not container:
                yield path, child
            if container or _file(child) == file:
                stack.append((path, child))


def _readers(model: nn.Module) -> tuple[dict[int, set[str]], set[str]]:
    """Of each parameter, by identity, the modules of the root's file that read it; others read what is theirs alone.

    And the modules inside which another is reached from outside.
    """
    found: dict[int, set[str]] = {}
    entered: set[str] = set()
    names = {id(part): name for name, part in model.named_modules()}
    texts: dict[type, list[ast.AST]] = {}
    file = _file(model)
    for name, part in model.named_modules():
        if _file(part) != file:
            continue
        cls = type(part)
        if cls not in texts:
            texts[cls] = [node for method in _methods(cls) for node in ast.walk(_parsed(method))]
        for node in texts[cls]:
            for value in _reached(node, part):
                if isinstance(value, nn.Parameter):
                    found.setdefault(id(value), set()).add(name)
                elif isinstance(value, nn.Module):
                    holders = above(names[id(value)])
                    entered.update(holders[len(above(name)) + bool(name) :])
    return found, entered


def _methods(cls: type) -> list[FunctionType]:
    """The methods that run once there are weights; none of torch's own."""
    return [
        method
        for base in cls.__mro__
        if not base.__module__.startswith("torch.")
        for name, method in vars(base).items()
        if isinstance(method, FunctionType) and name not in _MAKING
    ]


def _parsed(method: FunctionType) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(method)))


def _reached(node: ast.AST, part: nn.Module) -> list[object]:
    """What `self.deep.block[0].up.weight` stands for; every element, where the index is no constant."""
    match node:
        case ast.Name(id="self"):
            return [part]
        case ast.Attribute(value=inner, attr=name):
            return [child for found in _reached(inner, part) for child in _attribute(found, name)]
        case ast.Subscript(value=inner, slice=index):
            return [child for found in _reached(inner, part) for child in _elements(found, index)]
        case _:
            return []


def _attribute(found: object, name: str) -> list[object]:
    if not isinstance(found, nn.Module):
        return []
    if name in ("_parameters", "_modules"):
        return [found.__dict__[name]]
    return [table[name] for table in (found._parameters, found._modules) if table.get(name) is not None]


def _elements(found: object, index: ast.expr) -> list[object]:
    if isinstance(found, _CONTAINERS):
        table: dict[str, object] = {**found._parameters, **found._modules}
    elif isinstance(found, dict):
        table = found
    else:
        return []
    if not isinstance(index, ast.Constant):
        return list(table.values())
    return [table[key] for key in [str(index.value)] if table.get(key) is not None]
