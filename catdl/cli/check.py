"""`catdl check FILES…`: what is wrong with them, if anything."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from catdl.cli.report import color_option, write
from catdl.cli.specs import deny_option, open_spec, search_option
from catdl.diagnostics.base import has_errors, in_order


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="For people; for programs; for code scanning (SARIF 2.1.0); for GitHub Actions.",
)
@click.option("--laws", is_flag=True, help="Also prove, try or refute the laws that are stated.")
@color_option
@deny_option
@search_option
def command(
    files: tuple[str, ...], form: str, laws: bool, color: str, deny: frozenset[str], search: tuple[str, ...]
) -> None:
    """Check FILES without running anything; - is standard input."""
    paths = tuple(dict.fromkeys(files))
    specs = [open_spec(path, search, deny) for path in paths]
    told = [mistake for spec in specs for mistake in spec.diagnostics]
    if laws:
        from catdl.cli.laws import refuted  # late: trials take torch

        told += [mistake for spec in specs if not has_errors(spec.diagnostics) for mistake in refuted(spec)]
    found = in_order(told)
    errors = sum(mistake.severity == "error" for mistake in found)
    if form != "text":
        renderer = import_module(f"catdl.diagnostics.{form}")  # late: most checks need none of them
        click.echo(renderer.render(found), nl=False)
    else:
        write(found, sys.stdout, color)
        click.echo(("\n" if found else "") + _summary(len(paths), errors, len(found) - errors))
    sys.exit(1 if errors else 0)


def _summary(files: int, errors: int, warnings: int) -> str:
    counts = [_counted(count, word) for count, word in ((errors, "error"), (warnings, "warning")) if count]
    return f"{', '.join(counts) or 'no mistakes'} in {_counted(files, 'file')}"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
