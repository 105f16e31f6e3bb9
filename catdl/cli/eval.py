"""`catdl eval FILE LEARNER --weights W`: the loss and the metrics of a trained network."""

from __future__ import annotations

import json

import click

from catdl.cli.learners import chosen, set_option
from catdl.cli.report import fail
from catdl.cli.specs import deny_option, search_option, told
from catdl.diagnostics.numbers import brief


@click.command("eval", short_help="Measure a trained network.")
@click.argument("file")
@click.argument("name", required=False)
@click.option("--weights", required=True, metavar="W.safetensors", help="The weights, as `train` leaves them.")
@click.option("--on", type=click.Choice(["data", "validate", "test"]), help="Which data; the last that there are.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@set_option
@deny_option
@search_option
def command(
    file: str,
    name: str | None,
    weights: str,
    on: str | None,
    as_json: bool,
    settings: tuple[str, ...],
    deny: frozenset[str],
    search: tuple[str, ...],
) -> None:
    """Say what the loss and the metrics of the learner NAME of FILE are, with the weights given."""
    learner = chosen(file, name, settings, search, deny)
    with told():
        run = learner.run()
    from catdl.cli.arrays import load_weights

    if (unloaded := load_weights(run.net.trained, weights)) is not None:
        fail(unloaded)
    there = {"data": run.data.learn, "validate": run.data.validate, "test": run.data.test}
    which = on or next(key for key in ("test", "validate", "data") if there[key] is not None)
    samples = there[which]
    if samples is None:
        raise click.BadParameter(f"`{learner.name}` has no `{which}`", param_hint="--on")
    values = run.measure(samples)
    if as_json:
        click.echo(json.dumps({"on": which, "samples": samples.count, **values}))
    else:
        shown = "  ".join(f"{key} {brief(value)}" for key, value in values.items())
        click.echo(f"{which}, {samples.count:,} samples: {shown}")
