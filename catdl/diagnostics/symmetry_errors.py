"""Mistakes with symmetry: E10xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Help, Label, Mistake, Parts
from catdl.source import Span

__all__ = ["NoEquivariantMap", "NotAlongRole", "RoleArguments", "RoleSize", "RolesClash"]


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
    """`equilinear` over an axis whose role stands for no group, or whose action is not known; `why` says what to do."""

    code: ClassVar[str] = "E1004"
    title: ClassVar[str] = "an equivariant layer along an axis without a group"
    span: Span
    axis: str
    what: str
    why: str

    def parts(self) -> Parts:
        message = f"`equilinear` knows no maps along `{self.axis}`, {self.what}"
        return Parts(message, self.span, f"takes in `{self.axis}`", helps=(Help(self.why),))


@dataclass(frozen=True, slots=True)
class NoEquivariantMap(Mistake):
    """`equilinear` into a leaf into which no linear map commutes with the group."""

    code: ClassVar[str] = "E1005"
    title: ClassVar[str] = "an equivariant layer that could only be zero"
    span: Span
    source: str
    target: str
    groups: tuple[str, ...]

    def parts(self) -> Parts:
        message = f"the only equivariant linear map from `{self.source}` to `{self.target}` is zero"
        notes = (f"it has to commute with {' and '.join(self.groups)}, and no other map does",)
        helps = (
            Help("lengths and inner products are not linear: `contract[X](v, v)` makes numbers of vectors"),
            Help("or give the result the axes of the input"),
        )
        return Parts(message, self.span, "is zero for all weights", notes=notes, helps=helps)
