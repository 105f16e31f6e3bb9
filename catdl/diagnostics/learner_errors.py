"""Mistakes with learners: E11xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Help, Label, Mistake, Parts
from catdl.diagnostics.words import article, did_you_mean, listed
from catdl.source import Span

__all__ = [
    "BadSetting",
    "BatchMisplaced",
    "CheckpointUnfit",
    "ColumnLeftOver",
    "ColumnMissing",
    "DataUnfit",
    "FieldMissing",
    "ForeignFailed",
    "LossIgnores",
    "LossNotScalar",
    "LossTeachesNothing",
    "NoSuchLearner",
    "NoSuchSetting",
    "SettingMissing",
    "TargetUntold",
    "TrainingBroke",
    "WeightsUntaught",
]


@dataclass(frozen=True, slots=True)
class NoSuchSetting(Mistake):
    """A name that is no field, no setting or no argument of one. `what` says which of these it should be."""

    code: ClassVar[str] = "E1201"
    title: ClassVar[str] = "a setting that there is none of"
    span: Span
    what: str
    name: str
    known: tuple[str, ...]
    suggestions: tuple[str, ...] = ()

    def parts(self) -> Parts:
        notes = (f"there {'is' if len(self.known) == 1 else 'are'} {listed(self.known)}",) if self.known else ()
        helps = did_you_mean(self.span, self.suggestions)
        return Parts(f"`{self.name}` is no {self.what}", self.span, f"not {article(self.what)}", (), notes, helps)


@dataclass(frozen=True, slots=True)
class SettingMissing(Mistake):
    """A setting without an argument that it needs. `sort` says what is to be given."""

    code: ClassVar[str] = "E1202"
    title: ClassVar[str] = "a setting that is missing"
    span: Span
    owner: str
    name: str
    sort: str

    def parts(self) -> Parts:
        return Parts(f"`{self.owner}` needs `{self.name}`, {self.sort}", self.span, f"without `{self.name}`")


@dataclass(frozen=True, slots=True)
class FieldMissing(Mistake):
    """A learner without some of what every learner has. `examples` are lines that say it."""

    code: ClassVar[str] = "E1215"
    title: ClassVar[str] = "a learner that lacks something"
    span: Span
    name: str
    fields: tuple[str, ...]
    examples: tuple[str, ...]

    def parts(self) -> Parts:
        message = f"the learner `{self.name}` does not say its {listed(self.fields)}"
        helps = tuple(Help(f"for example `{example}`") for example in self.examples)
        return Parts(message, self.span, "", (), (), helps)


@dataclass(frozen=True, slots=True)
class BadSetting(Mistake):
    """A value that a field or an argument does not take."""

    code: ClassVar[str] = "E1203"
    title: ClassVar[str] = "a setting of another sort"
    span: Span
    name: str
    sort: str
    found: str
    note: str = ""

    def parts(self) -> Parts:
        message = f"`{self.name}` is {self.sort}, found {self.found}"
        return Parts(message, self.span, f"expected {self.sort}", (), (self.note,) if self.note else ())


@dataclass(frozen=True, slots=True)
class BatchMisplaced(Mistake):
    """The axis of the batch where one sample is meant, in a `model`, or a target of a loss across the batch without."""

    code: ClassVar[str] = "E1216"
    title: ClassVar[str] = "an axis of the batch that is out of place"
    span: Span
    model: str  # "" for a target
    type: str

    def parts(self) -> Parts:
        if self.model:
            message = f"{self.model} is a model, and takes or gives a whole batch, `{self.type}`"
            helps = (Help("a model says what becomes of one sample; what looks across the batch is the loss"),)
            return Parts(message, self.span, "only the loss may look across the batch", (), (), helps)
        message = f"this loss looks across the batch, and takes `{self.type}`, which has not its axis in front"
        helps = (Help("every target is there for each sample of the batch, so its type begins with that axis"),)
        return Parts(message, self.span, "a target of one sample", (), (), helps)


@dataclass(frozen=True, slots=True)
class ColumnMissing(Mistake):
    """An input of the model or of the loss that no column of the data comes to."""

    code: ClassVar[str] = "E1204"
    title: ClassVar[str] = "an input that no column of the data comes to"
    span: Span
    ports: tuple[tuple[str, str], ...]  # name and type of each
    owner: str

    def parts(self) -> Parts:
        names = listed([f"{name} : {type_}" for name, type_ in self.ports])
        example = ", ".join(f"{name} = column" for name, _ in self.ports)
        helps = (Help(f"say which column of the data it is: `{example}`"),)
        return Parts(f"no column comes to {names} of `{self.owner}`", self.span, "the data", (), (), helps)


@dataclass(frozen=True, slots=True)
class ColumnLeftOver(Mistake):
    """A column that neither the model nor the loss takes."""

    code: ClassVar[str] = "E1205"
    title: ClassVar[str] = "a column that nothing takes"
    span: Span
    name: str
    ports: tuple[str, ...]
    suggestions: tuple[str, ...] = ()

    def parts(self) -> Parts:
        notes = (f"what is taken: {listed(self.ports)}",) if self.ports else ()
        helps = did_you_mean(self.span, self.suggestions)
        return Parts(f"nothing takes a column `{self.name}`", self.span, "neither model nor loss", (), notes, helps)


@dataclass(frozen=True, slots=True)
class TargetUntold(Mistake):
    """A loss that does not say what it takes beside the results of the model."""

    code: ClassVar[str] = "E1206"
    title: ClassVar[str] = "a loss that does not say what it takes"
    span: Span
    given: str

    def parts(self) -> Parts:
        message = "nothing says what this loss takes beside what the model gives"
        notes = (f"the model gives `{self.given}`",)
        helps = (Help(f"declare it with a type, `morphism loss : {self.given} @ … -> Real = …`, and name it here"),)
        return Parts(message, self.span, "of what type are the targets?", (), notes, helps)


@dataclass(frozen=True, slots=True)
class LossNotScalar(Mistake):
    """A loss that gives something else than one real number."""

    code: ClassVar[str] = "E1207"
    title: ClassVar[str] = "a loss that is not one number"
    span: Span
    found: str
    what: str = "a loss"

    def parts(self) -> Parts:
        message = f"{self.what} gives one number for each sample, found `{self.found}`"
        helps = (Help("`mean[..]` or `sum[..]` makes one number of many"),) if "[" in self.found else ()
        return Parts(message, self.span, f"gives `{self.found}`", (), (), helps)


@dataclass(frozen=True, slots=True)
class LossIgnores(Mistake):
    """A loss that does not depend on something that comes in."""

    code: ClassVar[str] = "E1208"
    title: ClassVar[str] = "a loss that ignores what it is given"
    span: Span
    what: str

    def parts(self) -> Parts:
        message = f"the loss does not depend on {self.what}"
        return Parts(message, self.span, "whatever it is, the loss stays the same")


@dataclass(frozen=True, slots=True)
class LossTeachesNothing(Mistake):
    """A loss from which no gradient comes to the weights. `box` is where it stops."""

    code: ClassVar[str] = "E1209"
    title: ClassVar[str] = "a loss whose gradient reaches no weight"
    span: Span
    name: str
    box: str  # where the way back ends; empty where there is none
    field: Span | None

    def parts(self) -> Parts:
        stops = f": it stops at `{self.box}`" if self.box else ""
        message = f"no gradient of the loss reaches a weight of `{self.name}`{stops}"
        labels = (Label(self.field, "this is trained"),) if self.field is not None else ()
        label = "its derivative is zero, or it has none" if self.box else "nothing in it depends on a weight"
        return Parts(message, self.span, label, labels)


@dataclass(frozen=True, slots=True)
class WeightsUntaught(Mistake):
    """Weights to be trained that no gradient of the loss reaches, while it reaches others."""

    code: ClassVar[str] = "E1210"
    title: ClassVar[str] = "weights that the loss does not depend on"
    span: Span
    box: str
    name: str
    loss: Span

    def parts(self) -> Parts:
        message = f"no gradient of the loss reaches the weights of `{self.box}` in `{self.name}`"
        labels = (Label(self.loss, "the loss"),)
        return Parts(message, self.span, "not learned", labels)


@dataclass(frozen=True, slots=True)
class DataUnfit(Mistake):
    """Data that are not what the spec says: a column, a shape, a number that its kind does not have."""

    code: ClassVar[str] = "E1211"
    title: ClassVar[str] = "data that are not what the spec says"
    span: Span | None
    path: str
    reason: str
    help: str = ""

    def parts(self) -> Parts:
        helps = (Help(self.help),) if self.help else ()
        return Parts(f"{self.path}: {self.reason}", self.span, "read here", (), (), helps)


@dataclass(frozen=True, slots=True)
class CheckpointUnfit(Mistake):
    """A checkpoint that training cannot go on from, or that cannot be written."""

    code: ClassVar[str] = "E1212"
    title: ClassVar[str] = "a checkpoint that cannot be used"
    path: str
    reason: str
    notes: tuple[str, ...] = ()
    help: str = ""
    span: Span | None = None

    def parts(self) -> Parts:
        helps = (Help(self.help),) if self.help else ()
        return Parts(f"{self.path}: {self.reason}", None, "", (), self.notes, helps)


@dataclass(frozen=True, slots=True)
class TrainingBroke(Mistake):
    """A loss, what it is divided by, or a weight after a step that is no number to go on with."""

    code: ClassVar[str] = "E1213"
    title: ClassVar[str] = "a loss that is not finite"
    span: Span
    step: int
    found: str
    kept: str
    what: str = "the loss"

    def parts(self) -> Parts:
        message = f"{self.what} is {self.found} at step {self.step}"
        notes = (self.kept,) if self.kept else ()
        helps = (
            Help("a smaller learning rate, or a clip: `clip = norm(1)`"),
            Help("a logarithm or a division in the model may need a number that keeps it away from zero"),
        )
        return Parts(message, self.span, "this learner", (), notes, helps)


@dataclass(frozen=True, slots=True)
class NoSuchLearner(Mistake):
    """A learner asked for from outside the spec that it does not declare; without a name, any or the only one."""

    code: ClassVar[str] = "E1214"
    title: ClassVar[str] = "a learner that the spec does not declare"
    name: str
    path: str
    available: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    span: Span | None = None

    def parts(self) -> Parts:
        has = (f"it declares {listed(self.available)}",) if self.available else ()
        if not self.name:
            message = f"`{self.path}` declares {'several learners' if self.available else 'no learner'}"
            return Parts(message, None, notes=has, helps=(Help("say which one is meant"),) if self.available else ())
        helps = tuple(Help(f"did you mean `{name}`?") for name in self.suggestions[:1])
        return Parts(f"`{self.path}` declares no learner `{self.name}`", None, notes=has, helps=helps)


@dataclass(frozen=True, slots=True)
class ForeignFailed(Mistake):
    """A data set or a metric of another package that cannot be used; `reason` is a sentence's tail."""

    code: ClassVar[str] = "E1217"
    title: ClassVar[str] = "code of another package that a learner cannot use"
    span: Span
    target: str
    reason: str

    def parts(self) -> Parts:
        return Parts(f"`{self.target}` {self.reason}", self.span, "this code")
