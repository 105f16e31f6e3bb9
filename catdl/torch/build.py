"""The generated text as a running module: what `source` prints is what `build` runs.

The text becomes a Python module named after a hash of itself, with its lines known to `linecache`, so that tracebacks
show them. Instances pickle with their text: another process makes the module again.

    model = build(diagram)
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from types import ModuleType
from typing import Any

from torch import nn

from catdl.diagram.model import Diagram
from catdl.torch.module import root_name, text

PREFIX = "catdl_generated_"


def source(diagram: Diagram) -> str:
    """The PyTorch source of a diagram. Raises Refused."""
    return text(diagram)


def build(diagram: Diagram) -> nn.Module:
    """The running module of a diagram. Raises Refused."""
    module = load_text(text(diagram))
    model = getattr(module, root_name(diagram))()
    assert isinstance(model, nn.Module)
    return model


def load_text(code: str) -> ModuleType:
    """The Python module of a generated text, made once per text."""
    name = PREFIX + hashlib.sha256(code.encode()).hexdigest()[:16]
    found = sys.modules.get(name)
    if found is not None:
        return found
    filename = f"<{name}>"
    module = ModuleType(name)
    module.__file__ = filename
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    exec(compile(code, filename, "exec"), module.__dict__)
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__ == name:
            value.__reduce_ex__ = _reduce  # type: ignore[method-assign, assignment]
    module.__dict__["__catdl_source__"] = code
    sys.modules[name] = module
    return module


def _reduce(self: nn.Module, protocol: int) -> tuple[Any, ...]:
    cls = type(self)
    return _restore, (sys.modules[cls.__module__].__dict__["__catdl_source__"], cls.__qualname__), self.__dict__


def _restore(code: str, name: str) -> nn.Module:
    """An instance without contents, for pickle and deepcopy."""
    cls = getattr(load_text(code), name)
    instance = cls.__new__(cls)
    assert isinstance(instance, nn.Module)
    return instance
