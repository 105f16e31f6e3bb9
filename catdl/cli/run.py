"""`catdl run FILE NAME --input x.npy -o y.npy`: a morphism on data."""

from __future__ import annotations

import click

from catdl.cli.files import refuse_output, write_whole
from catdl.cli.report import fail
from catdl.cli.specs import choose, deny_option, search_option, sound_spec, told


@click.command("run", short_help="Run a morphism on an input.")
@click.argument("file")
@click.argument("name")
@click.option("--input", "data", metavar="X.npy|X.npz|X.json|X.sexp", help="The input, by port or the only one.")
@click.option("--words", metavar="W.json", help="The number of each word in trees: a list, or an object.")
@click.option("-o", "--output", required=True, metavar="Y.npy|Y.npz", help="The file to write.")
@click.option("--weights", metavar="W.safetensors", help="The weights; without them they are as initialised.")
@click.option("--seed", type=int, default=0, show_default=True, help="For initial weights and random boxes.")
@click.option("--allow", multiple=True, metavar="PACKAGE", help="A package whose modules compiling may run.")
@deny_option
@search_option
def command(
    file: str,
    name: str,
    data: str | None,
    words: str | None,
    output: str,
    weights: str | None,
    seed: int,
    allow: tuple[str, ...],
    deny: frozenset[str],
    search: tuple[str, ...],
) -> None:
    """Run the morphism NAME of FILE on an input, any number of samples at once, in evaluation mode."""
    if not output.endswith((".npy", ".npz")):
        raise click.BadParameter("must end in .npy or .npz", param_hint="-o")
    inputs = tuple(path for path in (file, data, words, weights) if path)
    refused = refuse_output(output, inputs)
    if refused is not None:
        fail(refused)
    spec = sound_spec(file, search, deny)
    morphism = choose(spec, name, file)
    import torch  # late: usage errors and mistakes in the spec come without it

    from catdl.cli import arrays, nested

    if data is None and morphism.diagram().inputs:
        raise click.UsageError("Missing option '--input'.")
    given = {} if data is None else nested.read(data) if data.endswith(nested.ENDINGS) else arrays.read(data)
    if not isinstance(given, dict):
        fail(given)
    known = nested.words(words) if words is not None else {}
    if not isinstance(known, dict):
        fail(known)
    torch.manual_seed(seed)
    with told():
        module = morphism.compile(allow=allow)
    unloaded = arrays.load_weights(module, weights) if weights else None
    if unloaded is not None:
        fail(unloaded)
    result = arrays.apply(module, morphism.diagram(), given, data or name, known)
    if not isinstance(result, dict):
        fail(result)
    packed = arrays.pack(result, output)
    if not isinstance(packed, bytes):
        fail(packed)
    failed = write_whole(output, packed, (*inputs, *spec.paths))
    if failed is not None:
        fail(failed)
