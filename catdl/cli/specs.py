"""What the commands that read a spec share: reading it, and choosing a morphism of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from catdl import diagnostics as wrong
from catdl.cli.report import fail, warn
from catdl.diagnostics.base import Denied
from catdl.record import replace

if TYPE_CHECKING:
    from catdl.driver import Compiled, Spec

search_option = click.option(
    "-I",
    "--search",
    multiple=True,
    metavar="DIR",
    help="Where to look for imported files after the folder of the file itself; may be given again.",
)


def _codes(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> frozenset[str]:
    """The codes of the warnings that are denied; leave if there is no such warning."""
    if not given:
        return frozenset()
    from catdl.diagnostics.registry import mistakes
    from catdl.diagnostics.suggest import near

    known = [code for code in mistakes() if code.startswith("W")]
    out: set[str] = set()
    for word in given:
        if word in ("all", "warnings"):
            out.update(known)
        elif word in known:
            out.add(word)
        else:
            close = near(word, known)
            hint = f"; did you mean `{close[0]}`?" if close else "; `catdl explain` lists them"
            raise click.BadParameter(f"`{word}` is no code of a warning{hint}")
    return frozenset(out)


deny_option = click.option(
    "--deny",
    multiple=True,
    metavar="CODE",
    callback=_codes,
    help="Take a warning for an error (W0201; all); may be given again.",
)


def open_spec(path: str, search: tuple[str, ...], deny: frozenset[str]) -> Spec:
    """Read and check a spec. What cannot be read is among its diagnostics; warnings that are denied are errors."""
    from catdl import driver  # late: `catdl --help` needs no checker
    from catdl.check.work import TEXT_LIMIT

    if path != "-":
        spec = driver.load(path, search)
    else:
        # Bytes that are no UTF-8 travel as lone surrogates, which the driver reports as such.
        text = sys.stdin.buffer.read(TEXT_LIMIT + 1).decode("utf-8", "surrogateescape")
        spec = driver.loads(text, path="-", search=search)
    if deny and spec.diagnostics:
        spec = replace(spec, diagnostics=[Denied(d) if d.code in deny else d for d in spec.diagnostics])
    return spec


def sound_spec(path: str, search: tuple[str, ...], deny: frozenset[str]) -> Spec:
    """Read a spec that something is to be made of; leave with its errors if it has any."""
    spec = open_spec(path, search, deny)
    warn(spec.diagnostics)
    return spec


def choose(spec: Spec, name: str, path: str) -> Compiled:
    """The morphism of that name; leave with the reason if there is none that can stand alone."""
    if name in spec.names:
        return spec[name]
    try:
        found = spec[name]
    except KeyError:
        from catdl.diagnostics.suggest import near

        fail(wrong.NoSuchMorphism(name, path, spec.names, near(name, spec.names)))
    return fail(*found.refusals())


def some(spec: Spec, path: str) -> tuple[str, ...]:
    """The names of the morphisms that can stand alone; leave if there is none."""
    return spec.names or fail(wrong.NoSuchMorphism("", path))


@contextmanager
def told() -> Iterator[None]:
    """Leave with the diagnostics of a CheckError raised within: externs are looked at only when compiling."""
    from catdl.driver import CheckError

    try:
        yield
    except CheckError as error:
        fail(*error.diagnostics)
