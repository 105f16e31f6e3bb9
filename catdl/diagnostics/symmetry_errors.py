"""Mistakes with symmetry: E10xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Help, Label, Mistake, Parts
from catdl.source import Span

__all__ = [
    "CoupledInManyWays",
    "BadGenerator",
    "HomOpen",
    "NoEquivariantMap",
    "NotAlongRole",
    "NotUndone",
    "NothingActs",
    "PlacesApart",
    "RelationBroken",
    "RoleArguments",
    "RoleSize",
    "RolesClash",
    "SymmetryLost",
]


@dataclass(frozen=True, slots=True)
class RoleArguments(Mistake):
    """A role with arguments that it does not take; `example` is how it is written."""

    code: ClassVar[str] = "E1001"
    title: ClassVar[str] = "a role with the wrong arguments"
    span: Span
    example: str
    message: str

    def parts(self) -> Parts:
        return Parts(self.message, self.span, "not one of these", helps=(Help(f"write `{self.example}`"),))


@dataclass(frozen=True, slots=True)
class RoleSize(Mistake):
    """A dim whose size is not that of its role; `wanted` None is any fixed one, `found` None is a free one."""

    code: ClassVar[str] = "E1002"
    title: ClassVar[str] = "a size that does not fit the role"
    span: Span
    dim: str
    role: str
    wanted: int | None
    found: str | None

    def parts(self) -> Parts:
        has = f"has the size {self.found}" if self.found is not None else "is free"
        needs = f"the size {self.wanted}" if self.wanted is not None else "a fixed size"
        message = f"`{self.dim}` {has}; an axis of the role `{self.role}` has {needs}"
        example = self.wanted if self.wanted is not None else 3
        return Parts(
            message, self.span, f"needs {needs}", helps=(Help(f"write `dim {self.dim} = {example} : {self.role}`"),)
        )


@dataclass(frozen=True, slots=True)
class RolesClash(Mistake):
    """A second role that says what may be done to a dim; `first` is where the first stands."""

    code: ClassVar[str] = "E1003"
    title: ClassVar[str] = "two roles that exclude each other"
    span: Span
    dim: str
    role: str
    first: Span

    def parts(self) -> Parts:
        message = f"`{self.dim}` is said to be a `{self.first.text}` already: it cannot be a `{self.role}` as well"
        labels = (Label(self.first, "the first"),)
        return Parts(message, self.span, "the second", labels, helps=(Help("keep one of them, or declare two dims"),))


@dataclass(frozen=True, slots=True)
class NotAlongRole(Mistake):
    """An equivariant layer over an axis whose role stands for no group, or whose action is not known; `why` helps."""

    code: ClassVar[str] = "E1004"
    title: ClassVar[str] = "an equivariant layer along an axis without a group"
    span: Span
    name: str
    axis: str
    what: str
    why: str

    def parts(self) -> Parts:
        message = f"`{self.name}` knows no maps along `{self.axis}`, {self.what}"
        return Parts(message, self.span, f"takes in `{self.axis}`", helps=(Help(self.why),))


@dataclass(frozen=True, slots=True)
class NoEquivariantMap(Mistake):
    """A layer into a leaf into which no linear map, or product, commutes with the group; `sort` says which."""

    code: ClassVar[str] = "E1005"
    title: ClassVar[str] = "an equivariant layer that could only be zero"
    span: Span
    sort: str
    source: str
    target: str
    groups: tuple[str, ...]

    def parts(self) -> Parts:
        message = f"the only equivariant {self.sort} from `{self.source}` to `{self.target}` is zero"
        notes = (f"it has to commute with {' and '.join(self.groups)}, and no other map does",)
        lengths = Help("lengths and inner products are not linear: `contract[X](v, v)` makes numbers of vectors")
        axes = Help("or give the result the axes of the input")
        helps = (lengths, axes) if self.sort == "linear map" else (Help("give the result another degree, or group"),)
        return Parts(message, self.span, "is zero for all weights", notes=notes, helps=helps)


@dataclass(frozen=True, slots=True)
class SymmetryLost(Mistake):
    """A `hom` that does not go with a group: the first box at which that is lost, what it does, and what to do instead.

    `dim` is where the group is declared; `kept` the part of it that is kept, if there is one.
    """

    code: ClassVar[str] = "E1006"
    title: ClassVar[str] = "a hom that loses a symmetry"
    span: Span
    name: str
    group: str
    what: str
    how: str
    instead: str
    dim: Span | None
    kept: str | None

    def parts(self) -> Parts:
        message = f"`{self.name}` has to go with {self.group}, and {self.what} does not: it {self.how}"
        labels = (Label(self.dim, "acts here"),) if self.dim is not None else ()
        notes = (f"it goes with {self.kept}",) if self.kept is not None else ()
        helps = (
            Help(self.instead),
            Help(f"write `morphism {self.name}` where no symmetry is meant; `catdl show` tells which it has"),
        )
        return Parts(message, self.span, "is lost here", labels, notes=notes, helps=helps)


@dataclass(frozen=True, slots=True)
class NothingActs(Mistake):
    """A `hom` between types on which no group acts."""

    code: ClassVar[str] = "E1007"
    title: ClassVar[str] = "a hom without a group"
    span: Span
    name: str

    def parts(self) -> Parts:
        message = f"no group acts on the axes of `{self.name}`, so there is nothing to go with"
        helps = (
            Help("say what acts on a dim, `dim N : set` or `dim X = 3 : vector(O)`"),
            Help(f"or write `morphism {self.name}`"),
        )
        return Parts(message, self.span, "a hom of no group", helps=helps)


@dataclass(frozen=True, slots=True)
class HomOpen(Mistake):
    """A `hom` whose symmetries cannot be told: without a signature, or by cases, with morphisms among its arguments."""

    code: ClassVar[str] = "E1008"
    title: ClassVar[str] = "a hom whose symmetries cannot be told"
    span: Span
    name: str
    signed: bool

    def parts(self) -> Parts:
        if self.signed:
            message = f"`{self.name}` takes morphisms and is written by cases, so what it keeps is not known"
            return Parts(
                message, self.span, "depends on its arguments", helps=(Help("make a hom of each of its uses"),)
            )
        message = f"`{self.name}` has no signature, which says what acts on its input and on its result"
        how = Help(f"write `hom {self.name} : Real[…] -> Real[…] = …`")
        return Parts(message, self.span, "a hom without a type", helps=(how,))


@dataclass(frozen=True, slots=True)
class PlacesApart(Mistake):
    """A product of tensors along a set, a cycle or channels that a factor has and the result lacks, or the reverse."""

    code: ClassVar[str] = "E1009"
    title: ClassVar[str] = "a product whose places do not match"
    span: Span
    name: str
    axis: str
    named: bool

    def parts(self) -> Parts:
        if not self.named:
            message = f"`{self.name}` goes place by place, and `{self.axis}` has no name that says which places"
            return Parts(message, self.span, f"along `{self.axis}`", helps=(Help(f"name it: `dim C = {self.axis}`"),))
        message = f"`{self.name}` goes place by place, and `{self.axis}` is not an axis of a factor and of the result"
        helps = (
            Help("what the result lacks is reduced afterwards: `>> mean[N]`"),
            Help("what both factors lack is made before: `equilinear[Real[N, 8]]`, `expand[N]`"),
        )
        return Parts(message, self.span, f"along `{self.axis}`", helps=helps)


@dataclass(frozen=True, slots=True)
class CoupledInManyWays(Mistake):
    """`couple` between types that several products connect."""

    code: ClassVar[str] = "E1010"
    title: ClassVar[str] = "a coupling that is not the only one"
    span: Span
    target: str
    count: int

    def parts(self) -> Parts:
        message = f"there are {self.count} products into `{self.target}`, and nothing says which"
        helps = (Help("`equibilinear` mixes all of them, with a weight for each"),)
        return Parts(message, self.span, "which one?", helps=helps)


@dataclass(frozen=True, slots=True)
class BadGenerator(Mistake):
    """A group whose generators cannot be read or do not fit the dims; `example` is how it is written."""

    code: ClassVar[str] = "E1011"
    title: ClassVar[str] = "a generator that does not fit"
    span: Span
    message: str
    label: str
    example: str

    def parts(self) -> Parts:
        return Parts(self.message, self.span, self.label, helps=(Help(f"write `{self.example}`"),))


@dataclass(frozen=True, slots=True)
class NotUndone(Mistake):
    """A group with a generator that nothing undoes."""

    code: ClassVar[str] = "E1012"
    title: ClassVar[str] = "a group with a generator that nothing undoes"
    span: Span
    group: str
    generator: str

    def parts(self) -> Parts:
        message = f"nothing undoes `{self.generator}`, and what a group does can be undone"
        helps = (Help(f"write `monoid {self.group}`: what goes with it is known all the same"),)
        return Parts(message, self.span, "loses what it is given", helps=helps)


@dataclass(frozen=True, slots=True)
class RelationBroken(Mistake):
    """A relation that the generators of a group break; `order` is one that does hold, where it is known."""

    code: ClassVar[str] = "E1013"
    title: ClassVar[str] = "a relation that the generators break"
    span: Span
    relation: str
    group: str
    order: str

    def parts(self) -> Parts:
        message = f"`{self.relation}` does not hold: the two sides move the axes of `{self.group}` differently"
        rule = Help("a relation says what the generators have to obey: mend them, or take it away")
        helps = (Help(f"`{self.order}` does hold"), rule) if self.order else (rule,)
        return Parts(message, self.span, "does not hold", helps=helps)
