"""What the commands that read a spec share: reading it, and choosing a morphism of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from catdl import diagnostics as wrong
from catdl.cli.report import fail, warn

if TYPE_CHECKING:
    from catdl.driver import Compiled, Spec

search_option = click.option(
    "-I",
    "--search",
    multiple=True,
    metavar="DIR",
    help="Where to look for imported files after the folder of the file itself; may be given again.",
)


def open_spec(path: str, search: tuple[str, ...]) -> Spec:
    """Read and check a spec. What cannot be read is among its diagnostics."""
    from catdl import driver  # late: `catdl --help` needs no checker
    from catdl.check.work import TEXT_LIMIT

    if path != "-":
        return driver.load(path, search)
    # Bytes that are no UTF-8 travel as lone surrogates, which the driver reports as such.
    text = sys.stdin.buffer.read(TEXT_LIMIT + 1).decode("utf-8", "surrogateescape")
    return driver.loads(text, path="-", search=search)


def sound_spec(path: str, search: tuple[str, ...]) -> Spec:
    """Read a spec that something is to be made of; leave with its errors if it has any."""
    spec = open_spec(path, search)
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
