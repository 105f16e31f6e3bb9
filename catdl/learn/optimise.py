"""How weights are moved: torch's optimisers with groups, a schedule of the learning rate, clipped gradients.

Takes the settings of a learner; guarantees that every weight that is learned is in one group, and a learning rate that
is a function of the number of the step alone, so that nothing of a schedule has to be kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from catdl import diagnostics as wrong
from catdl.diagram.learner import Learner, Setting, Stop
from catdl.diagram.params import globals_of, parameters
from catdl.learn.objective import Objective
from catdl.learn.refuse import Refused
from catdl.learn.shards import is_spread

_OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


def optimizer(plan: Learner, net: Objective) -> torch.optim.Optimizer:
    """The optimiser of a learner over the weights of a module. Raises Refused for a group that nothing is in."""
    given = dict(plan.optimizer.args)
    if "beta1" in given:
        given["betas"] = (given.pop("beta1"), given.pop("beta2"))
    options: dict[str, Any] = {name: _plain(value) for name, value in given.items()}
    groups = grouped(plan, net)
    # One kernel for all weights, where torch has it: three times as fast for small networks.
    devices = ("cpu",) if plan.optimizer.name == "adagrad" else ("cpu", "cuda")
    every = [p for group in groups for p in group["params"]]
    options["fused"] = all(p.is_floating_point() and p.device.type in devices and not is_spread(p) for p in every)
    return _OPTIMIZERS[plan.optimizer.name](groups, **options)


def _plain(value: Any) -> Any:
    """An exact number as torch takes it."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value if isinstance(value, bool | str) else float(value)


def grouped(plan: Learner, net: Objective) -> list[dict[str, Any]]:
    """The weights by group; a weight is in the first group that it fits. Raises Refused."""
    named = {p.path: p.group for p in (*globals_of(plan.trained), *parameters(plan.trained))}
    taken: set[int] = set()
    groups: list[dict[str, Any]] = []
    learned = list(net.learned.items())
    for setting in plan.groups:
        found = [(k, p) for k, p in learned if id(p) not in taken and belongs(setting, k, named.get(k, ""))]
        if not found:
            shown = setting.text("name" if setting.name == "group" else "pattern")
            raise Refused(wrong.BadSetting(setting.span, "group", "a name or a pattern of some weights", f'"{shown}"'))
        taken |= {id(p) for _, p in found}
        own = {name: float(value) for name, value in setting.args[1:] if value is not False}  # type: ignore[arg-type]
        groups.append({"params": [p for _, p in found], **own})
    rest = [p for _, p in learned if id(p) not in taken]
    return [{"params": rest}, *groups] if rest else groups


def belongs(setting: Setting, key: str, group: str) -> bool:
    """Whether a weight is of a group: by the name that the spec gives it, or by its key."""
    if setting.name == "group":
        return group == setting.text("name")
    return fits(setting.text("pattern").split("."), key.split("."))


def fits(pattern: list[str], key: list[str]) -> bool:
    """Whether a key fits a pattern: `*` is one segment, `**` any number of them."""
    reach = {0}
    for part in pattern:
        if part == "**":
            reach = set(range(min(reach), len(key) + 1)) if reach else reach
        else:
            reach = {at + 1 for at in reach if at < len(key) and fnmatchcase(key[at], part)}
    return len(key) in reach


def length(stop: Stop, steps_per_epoch: int, steps: int = 1) -> int | None:
    """After how many steps training ends at the latest; None where nothing says so. A step of `stop` is so many."""
    match stop.how:
        case "epochs" | "steps":
            assert stop.setting is not None
            count = stop.setting.count("n")
            return count * (steps_per_epoch if stop.how == "epochs" else steps)
        case "any" | "all":
            found = [length(part, steps_per_epoch, steps) for part in stop.parts]
            known = [n for n in found if n is not None]
            if stop.how == "any":
                return min(known, default=None)
            return max(known) if len(known) == len(found) else None
        case _:
            return None


def factor(schedule: Setting | None, step: int, total: int | None) -> float:
    """What the learning rate is multiplied by at a step, the first being 0."""
    if schedule is None:
        return 1.0
    warmup = schedule.count("warmup")
    if step < warmup:
        return (step + 1) / warmup
    match schedule.name:
        case "cosine" | "linear":
            assert total is not None
            done = min(1.0, (step - warmup) / max(1, total - warmup))
            least = schedule.number("to")
            left = (1 + math.cos(math.pi * done)) / 2 if schedule.name == "cosine" else 1 - done
            return least + (1 - least) * left
        case "exponential":
            return schedule.number("factor") ** (step - warmup)
        case "step":
            return float(schedule.number("factor") ** ((step - warmup) // max(1, schedule.count("every"))))
        case _:
            return 1.0


def clip(setting: Setting | None, weights: Iterable[Tensor]) -> None:
    """Bound the gradients: the norm of all together, or each number."""
    if setting is None:
        return
    if setting.name == "norm":
        nn.utils.clip_grad_norm_(weights, setting.number("most"))
    else:
        nn.utils.clip_grad_value_(weights, setting.number("most"))
