"""What other packages give to a learner: data sets and metrics. Their packages are allowed by name before this runs.

Takes a `Foreign` of the spec; what such code does wrong is told of the place that names it.

    made(foreign)                  the object that `pkg.mod:Name` makes
    Meter("f1", foreign, device)   a metric of torchmetrics, or what has its methods
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from importlib import import_module
from typing import Any

import torch

from catdl import diagnostics as wrong
from catdl.diagram.learner import Foreign
from catdl.diagram.model import Static
from catdl.learn.refuse import Refused
from catdl.types.sizes import Poly


def made(foreign: Foreign) -> Any:
    """Import the target and call it. Raises Refused."""
    package, _, path = foreign.target.partition(":")
    with told(foreign, "cannot be imported"):
        found: Any = import_module(package)
    for part in path.split("."):
        if not hasattr(found, part):
            raise Refused(wrong.ForeignFailed(foreign.span, foreign.target, f"`{package}` has no `{path}`"))
        found = getattr(found, part)
    with told(foreign, "cannot be made"):
        return found(**{name: plain(value) for name, value in foreign.args})


def plain(value: Static) -> Any:
    """A value of the spec as Python's own."""
    match value:
        case Fraction():
            return int(value) if value.denominator == 1 else float(value)
        case Poly():
            return int(str(value))
        case tuple():
            return tuple(map(plain, value))
        case _:
            return value


@contextmanager
def told(foreign: Foreign, what: str) -> Iterator[None]:
    """What foreign code raises is told as a mistake of what it is used for. Raises Refused."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        text = " ".join(str(error).split())
        reason = f"{what}: {type(error).__name__}" + (f": {text}" if text else "")
        raise Refused(wrong.ForeignFailed(foreign.span, foreign.target, reason)) from error


class Meter:
    """A metric that is shown samples batch by batch, and says at the end what they come to: no mean of means.

    Those of torchmetrics bring together what several processes have seen.
    """

    def __init__(self, name: str, foreign: Foreign, device: torch.device, several: bool) -> None:
        self.name = name
        self.foreign = foreign
        self.metric = made(foreign)
        lacking = [method for method in ("update", "compute", "reset") if not hasattr(self.metric, method)]
        if lacking:
            raise self.refuse(f"is no metric: it has no `{lacking[0]}`")
        if several and not hasattr(self.metric, "sync_context"):
            raise self.refuse("does not bring together what several processes have seen, as those of torchmetrics do")
        if hasattr(self.metric, "to"):
            self.metric = self.metric.to(device)

    @property
    def rising(self) -> bool | None:
        """Whether more of it is better, where it says so."""
        found = getattr(self.metric, "higher_is_better", None)
        return found if isinstance(found, bool) else None

    def refuse(self, reason: str) -> Refused:
        """A metric that cannot be used."""
        return Refused(wrong.ForeignFailed(self.foreign.span, self.foreign.target, reason))

    def reset(self) -> None:
        """Forget what it was shown."""
        self.metric.reset()

    def update(self, seen: Sequence[Any]) -> None:
        """Show it the results of the model and the targets of some samples. Raises Refused."""
        with told(self.foreign, "does not take what the model gives and the targets"):
            self.metric.update(*seen)

    def value(self) -> float:
        """What all samples come to. Raises Refused."""
        with told(self.foreign, "cannot say what it comes to"), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a process that was shown nothing
            found = self.metric.compute()
        if isinstance(found, torch.Tensor) and found.numel() == 1:
            found = found.item()
        if isinstance(found, bool) or not isinstance(found, int | float):
            many = f"{found.numel()} numbers" if isinstance(found, torch.Tensor) else f"a {type(found).__name__}"
            raise self.refuse(f"gives {many}, and a metric is one number")
        return float(found)
