"""`catdl show FILE [NAME]`: what a morphism is, beyond its text."""

from __future__ import annotations

import click

from catdl.cli.specs import choose, deny_option, search_option, some, sound_spec


@click.command("show", short_help="Show signature, parameters, cost and effects of a morphism.")
@click.argument("file")
@click.argument("name", required=False)
@deny_option
@search_option
def command(file: str, name: str | None, deny: frozenset[str], search: tuple[str, ...]) -> None:
    """Show signature, parameters, cost, effects and ties of the morphism NAME of FILE, or of all of them."""
    spec = sound_spec(file, search, deny)
    names = (name,) if name else some(spec, file)
    click.echo("\n\n".join(choose(spec, each, file).show() for each in names))
