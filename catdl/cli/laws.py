"""`catdl laws FILE`: what is known of each law that a file states."""

from __future__ import annotations

import json
import sys
from typing import assert_never

import click

from catdl.cli.specs import deny_option, search_option, sound_spec
from catdl.diagnostics.base import Diagnostic
from catdl.diagnostics.law_errors import LawRefuted
from catdl.driver import Spec
from catdl.laws.trial import Held, Refuted
from catdl.laws.verdict import TRIALS, Open, Proved, Verdict


@click.command("laws", short_help="Prove, try or refute the laws that a spec states.")
@click.argument("file")
@click.option("--trials", type=click.IntRange(1, 100_000), default=TRIALS, show_default=True, help="How often to try.")
@click.option("--steps", is_flag=True, help="Print the steps of each proof.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as JSON.")
@deny_option
@search_option
def command(file: str, trials: int, steps: bool, as_json: bool, deny: frozenset[str], search: tuple[str, ...]) -> None:
    """Say of each law of FILE whether it is proved, held in random trials of values and gradients, or refuted.

    The exit status is 1 where one is refuted.
    """
    spec = sound_spec(file, search, deny)
    found = spec.laws(trials)
    if as_json:
        click.echo(json.dumps({name: as_data(verdict) for name, verdict in found.items()}, indent=2))
    else:
        width = max(map(len, found), default=0)
        for name, verdict in found.items():
            word, rest = words(verdict)
            click.echo(f"{name:<{width}}  {word:<8} {rest}".rstrip())
            if steps and isinstance(verdict, Proved):
                click.echo("".join(f"    {line}\n" for line in derivation(verdict)), nl=False)
        if not found:
            click.echo(f"{file} states no law")
    sys.exit(1 if any(isinstance(verdict, Refuted) for verdict in found.values()) else 0)


def words(verdict: Verdict) -> tuple[str, str]:
    """A verdict in a word, and what it rests on."""
    match verdict:
        case Proved():
            return "proved", f"by {'; '.join(verdict.laws)}"
        case Held(count, worst):
            return "held", f"in {count} trials of values and gradients; the largest difference was {worst:.1e}"
        case Refuted(where, left, right, what):
            of = "" if what == "values" else f" as the {what}"
            return "refuted", f"at {where}: the left side gives {left}{of}, the right side {right}"
        case Open(why):
            return "open", why
        case _:
            assert_never(verdict)


def derivation(proof: Proved) -> list[str]:
    """A proof line by line: each law where it was used first, and the form that both sides have in the end."""
    lines: list[str] = []
    for step in proof.steps:
        lines.append(step.law)
        if step.before:
            lines.append(f"    {step.before}{f'  =  {step.after}' if step.after else ''}")
    return [*lines, *(f"both are  {form}" for form in proof.form)]


def as_data(verdict: Verdict) -> dict[str, object]:
    """A verdict for programs."""
    match verdict:
        case Proved(steps, form):
            told = [{"law": step.law, "from": step.before, "to": step.after} for step in steps]
            return {"verdict": "proved", "steps": list(verdict.laws), "derivation": told, "form": list(form)}
        case Held(count, worst):
            return {"verdict": "held", "trials": count, "worst": worst}
        case Refuted(where, left, right, what):
            return {"verdict": "refuted", "at": where, "left": left, "right": right, "of": what}
        case Open(why):
            return {"verdict": "open", "why": why}
        case _:
            assert_never(verdict)


def refuted(spec: Spec) -> list[Diagnostic]:
    """The laws of a spec that do not hold, as mistakes."""
    found: list[Diagnostic] = []
    verdicts = spec.laws()
    for law in spec.stated():
        verdict = verdicts.get(law.name)
        if isinstance(verdict, Refuted):
            found.append(LawRefuted(law.span, law.name, verdict.where, verdict.left, verdict.right, verdict.what))
    return found
