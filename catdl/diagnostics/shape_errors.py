"""Mistakes with shapes, sizes and axes: E03xx. Types and sizes come as strings already shown; see `base`.

A `context` says which place wanted the type and reads on after a comma: "at this step of `>>`", "in leg 2 of `@`",
"as the argument `mask` of `attend`", "as the declared codomain of `mlp`".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import NO_WHY, Help, Label, Mistake, Parts, Why
from catdl.diagnostics.contrast import axes, contrast
from catdl.diagnostics.words import listed, placed
from catdl.source import Span

__all__ = [
    "AxisNotFound",
    "BadPattern",
    "DimUntold",
    "DimsOfOneName",
    "EmptyReduction",
    "ImplicitBroadcast",
    "LabelRepeated",
    "MergedMismatch",
    "Mismatch",
    "NeedsAxes",
    "NotAnAxis",
    "RaggedPlace",
    "RaggedWhole",
    "RankUndetermined",
    "ScaleMismatch",
    "SizeMismatch",
    "SizeUndecided",
    "Undetermined",
]


BATCH = ("batch", "batch_size", "b", "bs")  # how an axis of samples is called, which no spec has
NO_BATCH = "a spec speaks of one sample: the batch is implicit, no axis of it"
NO_BROADCAST = "there is no implicit broadcast: an axis of size 1 is an axis, and stands for no other"


@dataclass(frozen=True, slots=True)
class Mismatch(Mistake):
    """Two types that should agree. `origin` is where the expectation came from."""

    code: ClassVar[str] = "E0301"
    title: ClassVar[str] = "types that do not agree"
    span: Span
    expected: str
    found: str
    context: str = ""
    origin: Span | None = None
    origin_text: str = ""
    helps: tuple[Help, ...] = ()
    why: Why = NO_WHY

    def parts(self) -> Parts:
        message = f"expected `{self.expected}`, found `{self.found}`{placed(self.context)}"
        labels = _origin(self.origin, self.origin_text, f"`{self.expected}` is expected because of this")
        shown = contrast(self.expected, self.found)
        notes = self._notes()
        return self.why.onto(Parts(message, self.span, f"found `{self.found}`", labels, notes, self.helps, shown))

    def _notes(self) -> tuple[str, ...]:
        expected, found = axes(self.expected), axes(self.found)
        more = [a for a in found if a not in expected]
        fewer = [a for a in expected if a not in found]
        if len(expected) == len(found) or (more and fewer):
            return ()
        if any(a.partition(":")[0].lower() in BATCH for a in more):
            return (NO_BATCH,)
        if all(a.rpartition(": ")[2] == "1" for a in more or fewer):
            return (NO_BROADCAST,)
        return ()


@dataclass(frozen=True, slots=True)
class SizeMismatch(Mistake):
    """Two sizes that should be equal."""

    code: ClassVar[str] = "E0302"
    title: ClassVar[str] = "sizes that are not equal"
    span: Span
    expected: str
    found: str
    context: str = ""
    origin: Span | None = None
    origin_text: str = ""
    helps: tuple[Help, ...] = ()
    why: Why = NO_WHY

    def parts(self) -> Parts:
        message = f"expected the size `{self.expected}`, found `{self.found}`{placed(self.context)}"
        labels = _origin(self.origin, self.origin_text, f"`{self.expected}` is expected because of this")
        return self.why.onto(Parts(message, self.span, f"has size `{self.found}`", labels, (), self.helps))


@dataclass(frozen=True, slots=True)
class AxisNotFound(Mistake):
    """An operation on an axis that the type does not have."""

    code: ClassVar[str] = "E0303"
    title: ClassVar[str] = "an axis that is not there"
    span: Span
    axis: str
    available: tuple[str, ...]
    operation: str
    origin: Span | None = None
    origin_text: str = ""
    helps: tuple[Help, ...] = ()
    why: Why = NO_WHY
    lists: bool = False  # the operation lists axes, and an operand has another

    def parts(self) -> Parts:
        message = f"`{self.operation}` needs the axis `{self.axis}`, which its input does not have"
        has = f"the axes here are {listed(self.available)}" if self.available else "the input has no axes"
        helps = self.helps
        if self.lists:
            message = f"an operand has the axis `{self.axis}`, which `{self.operation}` does not list"
            has = f"the axes listed are {listed(self.available)}"
            helps = helps or (Help(f"if it stands for one of them, say so: `rename[{self.axis.split(':')[0]} -> …]`"),)
        notes = (has, NO_BATCH) if self.axis.lower() in BATCH else (has,)
        labels = _origin(self.origin, self.origin_text, "the input comes from here")
        return self.why.onto(Parts(message, self.span, f"no axis `{self.axis}`", labels, notes, helps))


@dataclass(frozen=True, slots=True)
class SizeUndecided(Mistake):
    """Two sizes that may be equal or not, depending on the free dims. `fact` is the `where` that would settle it."""

    code: ClassVar[str] = "E0305"
    title: ClassVar[str] = "sizes whose equality cannot be decided"
    span: Span
    left: str
    right: str
    fact: str = ""
    helps: tuple[Help, ...] = ()
    why: Why = NO_WHY

    def parts(self) -> Parts:
        message = f"whether `{self.left}` and `{self.right}` are equal for every size of the free dims is undecided"
        fact = self.fact or f"{self.left} == {self.right}"
        helps = self.helps or (Help(f"if they are in every call, say so in the signature: add `where {fact}`"),)
        return self.why.onto(Parts(message, self.span, "these must be equal here", (), (), helps))


@dataclass(frozen=True, slots=True)
class Undetermined(Mistake):
    """Something that nothing determines. `what` is a phrase ("the size that `linear` yields"), `hint` what to write."""

    code: ClassVar[str] = "E0306"
    title: ClassVar[str] = "something that nothing determines"
    span: Span
    what: str
    hint: str = ""
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        helps = self.helps or ((Help(self.hint),) if self.hint else ())
        return Parts(f"nothing determines {self.what}", self.span, "write it here", helps=helps)


@dataclass(frozen=True, slots=True)
class RankUndetermined(Mistake):
    """A type whose number of axes nothing determines."""

    code: ClassVar[str] = "E0307"
    title: ClassVar[str] = "a type whose number of axes nothing determines"
    span: Span
    what: str

    def parts(self) -> Parts:
        message = f"nothing determines how many axes {self.what} has"
        helps = (Help("write a signature: `f : Real[T, D] -> Real[T, D]`, say"),)
        return Parts(message, self.span, "annotate this", helps=helps)


@dataclass(frozen=True, slots=True)
class NeedsAxes(Mistake):
    """An operation that has no default axis. `example` shows how it is written."""

    code: ClassVar[str] = "E0308"
    title: ClassVar[str] = "an operation that must name its axes"
    span: Span
    operation: str
    example: str = ""
    available: tuple[str, ...] = ()
    reason: str = ""
    origin: Span | None = None
    origin_text: str = ""
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        message = f"`{self.operation}` must say which axes it acts on"
        notes = (f"the axes here are {listed(self.available)}",) if self.available else ()
        if self.reason:
            notes = (self.reason, *notes)
        helps = self.helps or ((Help(f"write `{self.example}`"),) if self.example else ())
        if not helps and self.available:
            helps = (Help("give them names where their type is written: `Real[T: 5]` for `Real[5]`"),)
        labels = _origin(self.origin, self.origin_text, "because of this")
        return Parts(message, self.span, "which axes?", labels, notes, helps)


@dataclass(frozen=True, slots=True)
class ImplicitBroadcast(Mistake):
    """Operands with different axes. `only_left` and `only_right` are the axes that the other side lacks."""

    code: ClassVar[str] = "E0309"
    title: ClassVar[str] = "operands with different axes"
    span: Span
    left: str
    right: str
    only_left: tuple[str, ...] = ()
    only_right: tuple[str, ...] = ()
    left_span: Span | None = None
    right_span: Span | None = None
    helps: tuple[Help, ...] = ()
    why: Why = NO_WHY

    def parts(self) -> Parts:
        message = f"`{self.left}` and `{self.right}` have different axes, and nothing is broadcast silently"
        notes = [f"only the left side has {listed(self.only_left)}"] if self.only_left else []
        if self.only_right:
            notes.append(f"only the right side has {listed(self.only_right)}")
        helps = self.helps or self._expansions()
        labels = [Label(self.left_span, f"`{self.left}`")] if self.left_span else []
        if self.right_span:
            labels.append(Label(self.right_span, f"`{self.right}`"))
        return self.why.onto(Parts(message, self.span, "the axes differ", tuple(labels), tuple(notes), helps))

    def _expansions(self) -> tuple[Help, ...]:
        if self.only_left and self.only_right:
            return (Help("if every pair is meant, say it: `over[…](…)`; if not, one of the axes is the wrong one"),)
        side, axes = ("right", self.only_left) if self.only_left else ("left", self.only_right)
        if not axes:
            return ()
        return (Help(f"if it is meant, repeat the {side} side along it: `>> expand[{', '.join(axes)}]`"),)


@dataclass(frozen=True, slots=True)
class BadPattern(Mistake):
    """A rearrange, reduce or einsum pattern that cannot be read or does not fit; the message says why."""

    code: ClassVar[str] = "E0310"
    title: ClassVar[str] = "a pattern that does not fit"
    span: Span
    message: str
    label: str = ""
    notes: tuple[str, ...] = ()
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        return Parts(self.message, self.span, self.label or "does not fit", (), self.notes, self.helps)


@dataclass(frozen=True, slots=True)
class LabelRepeated(Mistake):
    """One label twice in a type."""

    code: ClassVar[str] = "E0311"
    title: ClassVar[str] = "an axis that occurs twice"
    span: Span
    label: str
    context: str = ""

    def parts(self) -> Parts:
        message = f"the axis `{self.label}` occurs twice{placed(self.context)}"
        helps = (
            Help(f"write `{self.label}'` for its twin: the same size, another axis"),
            Help(f"or rename one: `rename[{self.label} -> …]`"),
        )
        return Parts(message, self.span, "the second one", helps=helps)


@dataclass(frozen=True, slots=True)
class MergedMismatch(Mistake):
    """Two merged axes made of different words, whatever their sizes."""

    code: ClassVar[str] = "E0312"
    title: ClassVar[str] = "merged axes in another order"
    span: Span
    expected: str
    found: str
    context: str = ""
    origin: Span | None = None
    origin_text: str = ""
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        message = f"expected the merged axis `{self.expected}`, found `{self.found}`{placed(self.context)}"
        notes = ("merged axes agree only when they were merged from the same axes in the same order",)
        labels = _origin(self.origin, self.origin_text, "merged here")
        return Parts(message, self.span, f"this is `{self.found}`", labels, notes, self.helps)


@dataclass(frozen=True, slots=True)
class ScaleMismatch(Mistake):
    """Scores scaled by the root of a width that is not the one they are summed over; `why` compares the two."""

    code: ClassVar[str] = "E0313"
    title: ClassVar[str] = "scores scaled by the root of another width"
    span: Span
    width: str
    summed: str
    why: str
    origin: Span | None = None
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        message = f"the scores are scaled by the root of `{self.width}`, and summed over `{self.summed}`"
        notes = (self.why, "a sum of n products has n times the variance of one: the root of n evens it out")
        labels = _origin(self.origin, "summed here", "")
        return Parts(message, self.span, f"the root of `{self.width}`", labels, notes, self.helps)


@dataclass(frozen=True, slots=True)
class NotAnAxis(Mistake):
    """A number, or arithmetic, where an operation takes the name of an axis."""

    code: ClassVar[str] = "E0314"
    title: ClassVar[str] = "a number where the name of an axis stands"
    span: Span
    operation: str
    available: tuple[str, ...] = ()

    def parts(self) -> Parts:
        message = f"`{self.operation}[…]` takes the name of an axis, found `{self.span.text}`"
        notes = ["an axis is found by its name, never by its place or its size"]
        if self.available:
            notes.append(f"the axes here are {listed(self.available)}")
        helps = (Help("give the axis a name where its type is written: `Real[T: 5]` for `Real[5]`"),)
        return Parts(message, self.span, "not a name", (), tuple(notes), helps)


@dataclass(frozen=True, slots=True)
class DimUntold(Mistake):
    """A free dim that a morphism needs and that none of its inputs tells; `nearly` is an input's size made of it."""

    code: ClassVar[str] = "E0315"
    title: ClassVar[str] = "a free dim that no input tells"
    span: Span
    name: str
    dim: str
    declared: Span | None = None
    nearly: str = ""

    def parts(self) -> Parts:
        message = f"`{self.name}` needs the size of `{self.dim}`, and none of its inputs tells it"
        labels = (Label(self.declared, "free: the inputs say how large it is"),) if self.declared else ()
        notes = [f"`{self.nearly}` does not: two sizes of `{self.dim}` may give the same"] if self.nearly else []
        notes.append(f"a part of a larger morphism may leave it open, if the whole has an input with `{self.dim}`")
        helps = (
            Help(f"give the dim a size: `dim {self.dim} = …`"),
            Help(f"or make the morphism generic, so that its uses say it: `morphism {self.name}[{self.dim}] : …`"),
        )
        return Parts(message, self.span, f"how large is `{self.dim}`?", labels, tuple(notes), helps)


@dataclass(frozen=True, slots=True)
class DimsOfOneName(Mistake):
    """Two types that differ in dims of one name from two files, so that they look alike."""

    code: ClassVar[str] = "E0316"
    title: ClassVar[str] = "two dims of one name"
    span: Span
    name: str
    expected: str  # the file that declares the one
    found: str  # and the other
    context: str = ""
    expected_at: Span | None = None
    found_at: Span | None = None
    helps: tuple[Help, ...] = ()
    why: Why = NO_WHY

    def parts(self) -> Parts:
        message = (
            f"expected the dim `{self.name}` of `{self.expected}`, found the dim `{self.name}` of `{self.found}`"
            f"{placed(self.context)}"
        )
        sides = ((self.expected_at, "the dim that is expected"), (self.found_at, "the dim that is found"))
        labels = tuple(Label(at, words) for at, words in sides if at is not None)
        notes = ("two dims are two axes, whatever they are called and however large they are",)
        return self.why.onto(Parts(message, self.span, f"has the other `{self.name}`", labels, notes, self.helps))


@dataclass(frozen=True, slots=True)
class RaggedPlace(Mistake):
    """A type whose axes of different size in every sample do not stand as they are stored: one, in front."""

    code: ClassVar[str] = "E0317"
    title: ClassVar[str] = "a var axis out of its place"
    span: Span
    dim: str
    reason: str
    suggestion: str = ""

    def parts(self) -> Parts:
        message = f"{self.reason}"
        notes = (
            f"the samples of a batch have different sizes along the var dim `{self.dim}`, so they are stored one after "
            "the other along the first axis",
        )
        helps = (Help(f"write `{self.suggestion}`"),) if self.suggestion else ()
        return Parts(message, self.span, "cannot be stored", (), notes, helps)


@dataclass(frozen=True, slots=True)
class RaggedWhole(Mistake):
    """An operation that takes an axis as a whole which has another size in every sample."""

    code: ClassVar[str] = "E0318"
    title: ClassVar[str] = "a var axis taken as a whole"
    span: Span
    operation: str
    dim: str
    why: str

    def parts(self) -> Parts:
        message = f"`{self.operation}` needs the axis `{self.dim}` as a whole, and every sample has another size there"
        notes = (
            self.why,
            "what acts on every element alone, and what reduces or runs along the axis, is done sample by sample",
        )
        free = "P" if self.dim == "T" else "T"
        words = f"gives an axis of the free dim `{free}` and a `Keep[{free}]` of what is there"
        helps = (Help(f"`pad[{self.dim} -> {free}]` {words}"),)
        return Parts(message, self.span, f"not along `{self.dim}`", (), notes, helps)


@dataclass(frozen=True, slots=True)
class EmptyReduction(Mistake):
    """A reduction without unit over an axis that may be empty, or too short, and whose value is read then."""

    code: ClassVar[str] = "E0319"
    title: ClassVar[str] = "a reduction of nothing"
    span: Span
    operation: str
    dim: str
    least: int = 1

    def parts(self) -> Parts:
        few = "without elements" if self.least == 1 else f"of fewer than {self.least} elements"
        message = f"`{self.operation}` over `{self.dim}` has no value for a sample {few}"
        notes = (f"`{self.dim}` is a var dim: a sample may have {'none' if self.least == 1 else 'fewer'}",)
        enough = "one" if self.least == 1 else str(self.least)
        told = Help(f"say that every sample has {enough}: `where {self.dim} >= {self.least}`")
        given = Help(f"or what it is then: `{self.operation}[{self.dim}](empty = 0)`")
        helps = (told, given) if self.operation in ("max", "min", "mean") else (told,)
        return Parts(message, self.span, f"of {'no' if self.least == 1 else 'so few'} `{self.dim}`?", (), notes, helps)


def _origin(span: Span | None, text: str, otherwise: str) -> tuple[Label, ...]:
    return (Label(span, text or otherwise),) if span is not None else ()
