"""Kinds: the declared tree, coercion at a port, and the choice among overloads.

Takes kinds by name; guarantees that a coercion is one step and never chained (otherwise `Probs` -> `Real` -> `Logits`
would let a softmax stand before a cross entropy), and that an overload is chosen only when it is the most specific.
"""

from __future__ import annotations

from catdl.check.scope import KindDef, Overload, PreludeScope
from catdl.record import field, record
from catdl.types.types import Kind

REAL = Kind("Real")
POSITIVE = Kind("Positive")
BOOL = Kind("Bool")
ROOTS = ("Real", "Fin", "Bool", "Complex")


@record(frozen=False)
class Kinds:
    """The kinds of a program, by qualified name: its own, and all of the prelude, each read when first asked for.

    A kind may arise that no text mentions, as the Var that `square` makes of a Std.
    """

    prelude: PreludeScope
    defs: dict[str, KindDef] = field(default_factory=dict)

    def add(self, kind: KindDef) -> None:
        """Make a kind of a file known."""
        self.defs.setdefault(kind.name, kind)

    def find(self, name: str) -> KindDef | None:
        """A kind by name; None for those that are built in."""
        found = self.defs.get(name)
        if found is None and isinstance(entry := self.prelude.find(name), KindDef):
            found = self.defs[name] = entry
        return found

    def above(self, name: str) -> list[str]:
        """The kind and everything it is read as without a word, nearest first."""
        out = [name]
        at = self.find(name)
        while at is not None and at.base is not None:
            at = at.base
            out.append(at.name)
        return out

    def root(self, name: str) -> str:
        """`Real`, `Fin`, `Bool` or `Complex`."""
        return self.above(name)[-1]

    def element(self, name: str) -> str:
        """What one number of a kind is by itself: of one that names an axis what it says, or what it lies over."""
        found = self.find(name)
        if found is None or not found.axis:
            return name
        single = found.element or found.base
        return name if single is None else single.name

    def coerces(self, found: str, expected: str) -> bool:
        """Whether a port that expects one kind takes another."""
        if found == expected or found == "?" or expected == "?" or expected in self.above(found):
            return True
        target = self.find(expected)
        return target is not None and target.free and target.base is not None and target.base.name == found

    def weaker(self, found: str, taken: str) -> bool:
        """Whether a kind means less than another: what takes it could not take that, but the other way round it can."""
        return not self.coerces(found, taken) and self.coerces(taken, found)

    def meet(self, left: str, right: str) -> str | None:
        """The root both are read as in arithmetic; None for two kinds that have nothing to do with each other."""
        up_left, up_right = self.above(left), self.above(right)
        if up_left[-1] != up_right[-1]:
            return None
        if left in up_right or right in up_left:
            return up_left[-1]
        return None

    def choose(self, overloads: tuple[Overload, ...], found: tuple[str, ...], literal: object) -> list[Overload]:
        """The most specific overloads that take these kinds; more than one is an ambiguity."""
        fit: list[Overload] = []
        for candidate in overloads:
            if candidate.literal is not None and candidate.literal != literal:
                continue
            if len(candidate.inputs) == len(found) and all(
                e in self.above(f) for f, e in zip(found, candidate.inputs, strict=True)
            ):
                fit.append(candidate)
        return [c for c in fit if not any(o is not c and self._sharper(o, c) for o in fit)]

    def readings(self, overloads: tuple[Overload, ...], found: tuple[str, ...]) -> list[Overload]:
        """Those that take these kinds once each is read as what it may be read as freely."""
        return [
            candidate
            for candidate in overloads
            if len(candidate.inputs) == len(found) and all(map(self.coerces, found, candidate.inputs))
        ]

    def _sharper(self, one: Overload, other: Overload) -> bool:
        pairs = list(zip(one.inputs, other.inputs, strict=True))
        if one.inputs == other.inputs:
            return one.literal is not None and other.literal is None
        return all(o in self.above(s) for s, o in pairs)
