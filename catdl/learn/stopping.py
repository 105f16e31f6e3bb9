"""When training ends.

Takes the `stop` of a learner and what was measured; keeps the best of each metric that something is patient about, as
plain numbers, so that a checkpoint can hold them.
"""

from __future__ import annotations

from typing import TypedDict

from catdl.diagram.learner import Stop
from catdl.record import field, record


class Best(TypedDict):
    """The best value of a metric so far, and at which epoch it was."""

    value: float
    epoch: int


def low(metric: str) -> bool:
    """Whether less of it is better: of a loss and of an error."""
    return metric.endswith(("loss", "error", "entropy"))


def better(metric: str, value: float, than: float, rising: bool | None = None) -> bool:
    """Whether a value of a metric is better than another; `rising` where the metric says which way that is."""
    return value > than if (not low(metric) if rising is None else rising) else value < than


def watched(stop: Stop) -> str | None:
    """The metric that training is patient about, the first if there are several."""
    if stop.how == "patience":
        assert stop.setting is not None
        return stop.setting.text("metric")
    return next((found for part in stop.parts if (found := watched(part)) is not None), None)


@record(frozen=False)
class Progress:
    """How far training has come: epochs done, steps done, and the best of what was measured."""

    epoch: int = 0
    step: int = 0
    best: dict[str, Best] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    rising: dict[str, bool | None] = field(default_factory=dict)  # of metrics that say which way is better

    def measured(self, values: dict[str, float]) -> list[str]:
        """Note what was measured after an epoch; gives the metrics that are better than ever."""
        self.last = values
        improved = []
        for name, value in values.items():
            known = self.best.get(name)
            if known is None or better(name, value, known["value"], self.rising.get(name)):
                self.best[name] = {"value": value, "epoch": self.epoch}
                improved.append(name)
        return improved

    def ended(self, stop: Stop) -> bool:
        """Whether a rule says that it is enough."""
        match stop.how:
            case "any":
                return any(map(self.ended, stop.parts))
            case "all":
                return all(map(self.ended, stop.parts))
            case "never":
                return False
        assert stop.setting is not None
        match stop.how:
            case "epochs":
                return self.epoch >= stop.setting.count("n")
            case "steps":
                return self.step >= stop.setting.count("n")
            case "patience":
                best = self.best.get(stop.setting.text("metric"))
                return best is not None and self.epoch - best["epoch"] >= stop.setting.count("n")
            case _:
                value = self.last.get(name := stop.setting.text("metric"))
                wanted = stop.setting.number("value")
                return value is not None and (value == wanted or better(name, value, wanted, self.rising.get(name)))
