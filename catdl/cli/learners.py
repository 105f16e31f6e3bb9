"""What the commands that train share: choosing a learner, and settings given on the command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from catdl import diagnostics as wrong
from catdl.cli.report import fail
from catdl.cli.specs import sound_spec, told

if TYPE_CHECKING:
    from catdl.driver import Trainable

set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Another value for a field or an argument of one, as optimizer.lr=3e-4; may be given again.",
)

allow_option = click.option(
    "--allow", multiple=True, metavar="PACKAGE", help="A package whose code may run: modules, data sets, metrics."
)

_SETTING = re.compile(r"([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*))?=(.+)", re.DOTALL)


def chosen(
    file: str, name: str | None, settings: tuple[str, ...], search: tuple[str, ...], deny: frozenset[str]
) -> Trainable:
    """The learner of that name, or the only one, with other values for some settings; leave with what is wrong."""
    spec = sound_spec(file, search, deny)
    names = spec.learners
    wanted = names[0] if name is None and len(names) == 1 else name or ""
    if wanted not in names:
        from catdl.diagnostics.suggest import near

        fail(wrong.NoSuchLearner(wanted, file, names, near(wanted, names)))
    learner = spec.learner(wanted)
    for each in settings:
        match = _SETTING.fullmatch(each)
        if match is None:
            raise click.BadParameter(f"`{each}` is no FIELD=VALUE", param_hint="--set")
        with told():
            learner = learner.with_setting(match[1], match[2], match[3])
    return learner
