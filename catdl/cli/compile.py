"""`catdl compile FILE [NAME] -o OUT.py`: the PyTorch source of a spec."""

from __future__ import annotations

import click

from catdl.cli.files import refuse_output, write_whole
from catdl.cli.report import fail
from catdl.cli.specs import choose, deny_option, search_option, some, sound_spec, told


@click.command("compile", short_help="Write the PyTorch source of a morphism.")
@click.argument("file")
@click.argument("name", required=False)
@click.option("-o", "--output", required=True, metavar="OUT.py", help="The file to write; - is standard output.")
@click.option("--allow", multiple=True, metavar="PACKAGE", help="A package whose modules compiling may run.")
@click.option("--explain", is_flag=True, help="Say which rewrites were done, where, and the law that allows each.")
@deny_option
@search_option
def command(
    file: str,
    name: str | None,
    output: str,
    allow: tuple[str, ...],
    explain: bool,
    deny: frozenset[str],
    search: tuple[str, ...],
) -> None:
    """Write the PyTorch source of the morphism NAME of FILE, or of all that no other one uses."""
    refused = refuse_output(output, (file,))
    if refused is not None:
        fail(refused)
    spec = sound_spec(file, search, deny)
    chosen = choose(spec, name, file) if name else spec
    some(spec, file)
    with told():
        source = chosen.source(allow=allow)
    failed = write_whole(output, source.encode(), (file, *spec.paths))
    if failed is not None:
        fail(failed)
    if explain:
        click.echo(chosen.rewrites(), nl=False, err=output == "-")
