"""What the commands that train share: choosing a learner, and settings given on the command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from catdl import diagnostics as wrong
from catdl.cli.report import fail
from catdl.cli.specs import sound_spec, told

if TYPE_CHECKING:
    from catdl.diagram.learner import Learner
    from catdl.driver import Spec, Trainable

set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Another value for a field or an argument of one, as optimizer.lr=3e-4, or critic.batch=64 of one that takes "
    "turns; may be given again.",
)

allow_option = click.option(
    "--allow", multiple=True, metavar="PACKAGE", help="A package whose code may run: modules, data sets, metrics."
)

_SETTING = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*){0,2})=(.+)", re.DOTALL)


def chosen(
    file: str, name: str | None, settings: tuple[str, ...], search: tuple[str, ...], deny: frozenset[str]
) -> Trainable:
    """The learner of that name, or the only one, with other values for some settings; leave with what is wrong."""
    spec = sound_spec(file, search, deny)
    names = spec.learners
    whole = [found for found in names if found not in taking_turns(spec)]
    wanted = whole[0] if name is None and len(whole) == 1 else name or ""
    if wanted not in names:
        from catdl.diagnostics.suggest import near

        fail(wrong.NoSuchLearner(wanted, file, names, near(wanted, names)))
    learner = spec.learner(wanted)
    for each in settings:
        match = _SETTING.fullmatch(each)
        if match is None:
            raise click.BadParameter(f"`{each}` is no FIELD=VALUE", param_hint="--set")
        path: list[str | None] = [*match[1].split(".")]
        owner = path.pop(0) if len(path) > 1 and path[0] in taking_turns(spec) else None
        field, argument, *more = (*path, None)
        if more[1:] or field is None:
            raise click.BadParameter(f"`{each}` is no FIELD=VALUE", param_hint="--set")
        with told():
            learner = learner.with_setting(field, argument, match[2], owner)
    return learner


def taking_turns(spec: Spec) -> frozenset[str]:
    """The learners that another one lets take turns."""
    plans = [spec.learner(name).whole for name in spec.learners]
    return frozenset(one.name for plan in plans for one in getattr(plan, "learners", ()))


def by_itself(learner: Trainable) -> Learner:
    """The plan of a learner that has a network of its own; leave where its learners take turns."""
    from catdl.diagram.learner import Alternation

    plan = learner.whole
    if isinstance(plan, Alternation):
        names = " or ".join(f"`{one.name}`" for one in plan.learners)
        fail(wrong.BadSetting(plan.span, "learner", f"one that has steps of its own, {names}", f"`{plan.name}`"))
    return plan
