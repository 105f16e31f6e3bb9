"""Mistakes with effects: E07xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Edit, Help, Label, Mistake, Parts
from catdl.diagnostics.words import listed
from catdl.source import Span

__all__ = [
    "NotAState",
    "RandomUnderDeterministic",
    "StateCopied",
    "StateFreeDim",
    "StateMapped",
    "StateTwice",
    "StateUnread",
    "StateUnwritten",
]


@dataclass(frozen=True, slots=True)
class RandomUnderDeterministic(Mistake):
    """A `->` morphism that draws when used. `box` is what draws; `arrow` is the span of the `->`."""

    code: ClassVar[str] = "E0701"
    title: ClassVar[str] = "a deterministic morphism that draws"
    span: Span
    name: str
    box: str
    arrow: Span | None = None

    def parts(self) -> Parts:
        message = f"`{self.name}` is declared with `->`, but `{self.box}` draws at random when the network is used"
        labels = (Label(self.arrow, "`->` says that the same input gives the same output"),) if self.arrow else ()
        help_ = Help("declare it with `~>`", (Edit(self.arrow, "~>"),) if self.arrow else ())
        return Parts(message, self.span, "draws here", labels, helps=(help_,))


@dataclass(frozen=True, slots=True)
class StateTwice(Mistake):
    """A state that a block writes twice; `first` is where it does so first."""

    code: ClassVar[str] = "E0702"
    title: ClassVar[str] = "a state that is written twice"
    span: Span
    name: str
    first: Span

    def parts(self) -> Parts:
        labels = (Label(self.first, "written here first"),)
        helps = (Help(f"give the first value a name of its own, `new = …`, and write the last: `{self.name} <- …`"),)
        return Parts(f"the state `{self.name}` is written twice", self.span, "written again", labels, (), helps)


@dataclass(frozen=True, slots=True)
class StateUnwritten(Mistake):
    """A state that nothing writes, so that it stays what it was at the start."""

    code: ClassVar[str] = "E0703"
    title: ClassVar[str] = "a state that is never written"
    span: Span
    name: str

    def parts(self) -> Parts:
        message = f"nothing writes the state `{self.name}`, so it stays what it is at the start"
        helps = (
            Help(f"write what it holds in the next call, in the same block: `{self.name} <- …`"),
            Help("or, for a value that is learned, declare a `param`; for one that never changes, a wire"),
        )
        return Parts(message, self.span, "never written", helps=helps)


@dataclass(frozen=True, slots=True)
class StateUnread(Mistake):
    """A state whose value from the call before nothing reads."""

    code: ClassVar[str] = "E0704"
    title: ClassVar[str] = "a state that is never read"
    span: Span
    name: str
    written: Span

    def parts(self) -> Parts:
        message = f"nothing reads what the state `{self.name}` holds from the call before"
        labels = (Label(self.written, "from here on the name stands for the new value"),)
        helps = (Help(f"read `{self.name}` before it is written, or keep nothing: `{self.name} = …`"),)
        return Parts(message, self.span, "never read", labels, (), helps)


@dataclass(frozen=True, slots=True)
class StateFreeDim(Mistake):
    """A state whose size would be known only when the network runs."""

    code: ClassVar[str] = "E0705"
    title: ClassVar[str] = "a state without a fixed shape"
    span: Span
    name: str
    dim: str

    def parts(self) -> Parts:
        message = f"the state `{self.name}` has the axis `{self.dim}`, whose size changes from call to call"
        notes = (
            "a state is there before the first call, so the sizes of its axes are fixed when the network is built",
        )
        helps = (
            Help(f"keep what does not grow with `{self.dim}`: its mean, its last element, a fold of it"),
            Help(f"or, if `{self.dim}` is the same in every call, fix it: `dim {self.dim} = …`"),
        )
        return Parts(message, self.span, f"`{self.dim}` is free", notes=notes, helps=helps)


@dataclass(frozen=True, slots=True)
class StateCopied(Mistake):
    """A tied morphism with a state that is used more than once."""

    code: ClassVar[str] = "E0706"
    title: ClassVar[str] = "a state that would be copied"
    span: Span
    name: str
    first: Span

    def parts(self) -> Parts:
        message = f"`{self.name}` keeps a state, and a state is not copied: it cannot be used twice as one"
        labels = (Label(self.first, "used here first"),)
        notes = ("weights are the same at both places; what is kept is of one place, or its order would count",)
        helps = (
            Help("say `fresh`, and every use has weights and a state of its own"),
            Help(f"or share the weights alone: declare `param w : weights(…)` and use `{self.name}{{w}}` twice"),
            Help(f"or, where one use comes after the other, `iterate(2, {self.name})` hands one state on"),
        )
        return Parts(message, self.span, "used again", labels, notes, helps)


@dataclass(frozen=True, slots=True)
class NotAState(Mistake):
    """`k <- e` where `k` is no state of the block; `states` are those that it has."""

    code: ClassVar[str] = "E0707"
    title: ClassVar[str] = "a write to what is no state of the block"
    span: Span
    name: str
    states: tuple[str, ...] = ()

    def parts(self) -> Parts:
        message = f"`{self.name}` is no state that this block declares, and `<-` writes to such only"
        notes = (f"the states of this block are {listed(self.states)}",) if self.states else ()
        helps = (
            Help(f"declare it in this block, `state {self.name} : … = zeros`; a wire is named by `{self.name} = …`"),
        )
        return Parts(message, self.span, "no state of this block", (), notes, helps)


@dataclass(frozen=True, slots=True)
class StateMapped(Mistake):
    """A state that would differ from index to index of a `map`."""

    code: ClassVar[str] = "E0708"
    title: ClassVar[str] = "a state inside `map`"
    span: Span
    name: str

    def parts(self) -> Parts:
        message = f"`map` has no order, so its indices cannot write the one state `{self.name}`, each another value"
        helps = (
            Help("`each[…]` keeps one at every index, with weights of its own; `scan` and `fold` go in order"),
            Help("or keep the state outside, with the axis in its type, and map what stands between"),
        )
        return Parts(message, self.span, "all indices at once", helps=helps)
