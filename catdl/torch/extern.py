"""Modules of other packages that a diagram runs: whether they are there, and what their constructors say.

Takes a verified Diagram whose packages are allowed. What another package does wrong is told of the `extern` that
names it.

    extern morphism vision : Image -> Real[512] = python("pkg.module:Class")      require(diagram) imports pkg.module
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import TracebackType

from catdl.diagnostics import NotCompilable
from catdl.diagram.model import Box, Diagram, Extern
from catdl.diagram.params import post_order
from catdl.torch.refuse import Refused


def require(diagram: Diagram) -> None:
    """Import every target. Raises Refused where a module or a name in it is missing."""
    for target, (name, box) in _boxes(diagram).items():
        package, _, path = target.partition(":")
        try:
            found: object = import_module(package)
        except Exception as error:
            raise Refused(NotCompilable(name, f"`{package}` cannot be imported: {_said(error)}", box.span)) from error
        for part in path.split("."):
            try:
                found = getattr(found, part)
            except AttributeError as error:
                raise Refused(NotCompilable(name, f"`{package}` has no `{path}`", box.span)) from error


@contextmanager
def constructed(diagram: Diagram) -> Iterator[None]:
    """What a constructor raises while a module is made becomes Refused; all else passes."""
    try:
        yield
    except Exception as error:
        line = _line(error.__traceback__)
        for target, (name, box) in _boxes(diagram).items():
            called = target.replace(":", ".")
            if f"{called}(" in line:
                raise Refused(NotCompilable(name, f"`{called}` raises {_said(error)}", box.span)) from error
        raise


def _boxes(diagram: Diagram) -> dict[str, tuple[str, Box]]:
    """The first box of each target, and the name of the morphism that it is."""
    found: dict[str, tuple[str, Box]] = {}
    for inner in post_order(diagram):
        for box in inner.boxes:
            if isinstance(box.op, Extern):
                found.setdefault(box.op.target, (inner.name.rpartition("::")[2], box))
    return found


def _line(trace: TracebackType | None) -> str:
    """The line of the generated text that was run last."""
    line = ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith("<catdl_generated_"):
            line = linecache.getline(name, trace.tb_lineno)
        trace = trace.tb_next
    return line


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
