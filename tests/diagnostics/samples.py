"""One or two of every kind of mistake, filled in from the types of its fields."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from catdl.diagnostics.base import Derivation, Diagnostic, Edit, Help, Label, Step, Steps, Why
from catdl.diagnostics.registry import mistakes
from catdl.source import Source, Span

TEXT = "dim D = 8\n\nmorphism f : Real[D] -> Real[D] = x => {\n\ty = x >> linera >> relu\n    y + x\n}\n"
SOURCE = Source("sample.cat", TEXT)


def span(text: str, source: Source = SOURCE, nth: int = 0) -> Span:
    """The nth place of a text in a source."""
    at = -1
    for _ in range(nth + 1):
        at = source.text.index(text, at + 1)
    return Span(source, at, at + len(text))


def samples() -> Iterator[Diagnostic]:
    """Every kind of mistake, once with only the fields that have no default and once with all of them."""
    for kind in mistakes().values():
        hints = get_type_hints(kind)
        for bare in (True, False):
            values = {
                field.name: _value(hints[field.name], field.name)
                for field in fields(kind)  # type: ignore[arg-type]
                if not (bare and _has_default(field))
            }
            yield cast(Diagnostic, kind(**values))


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _value(hint: Any, name: str) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return _value(get_args(hint)[0], name)
    if get_origin(hint) is tuple:
        args = get_args(hint)
        if args[-1] is Ellipsis:
            return (_value(args[0], name), _value(args[0], name))
        return tuple(_value(arg, name) for arg in args)
    return {
        Span: span("linera"),
        str: f"a {name}",
        int: 10,
        bool: True,
        Help: Help("do this", (Edit(span("relu"), "tanh"),)),
        Edit: Edit(span("relu"), "tanh"),
        Label: Label(span("relu"), "here"),
        Why: Why(
            (Label(span("x >> linera"), "comes from here"),),
            (Derivation("56", "8 * 7", "flatten", span("relu")), Derivation("T / 2", "", "maxpool(2)", None)),
            Steps((Step("x", "Real[T, D: 8]"),), (Step("relu", "Real[T, D: 8]"),), 3),
        ),
    }[hint]
