# ruff: noqa: E501  (lines of specs)
"""The types of random specs: axes with a label and the text of a size, tensors, products, as the language writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

FIXED = {"A": 2, "B": 3, "C": 4, "D": 6}
"""`D` is declared as `A * B`."""
FREE = ("T", "U")
LEAST = 4
"""No free dim is ever smaller."""
DIMS = "dim A = 2, B = 3, C = 4\ndim D = A * B\ndim T : time\ndim U\n"


@dataclass(frozen=True)
class Ax:
    """An axis: a label that a spec may name, or None, and its size as an expression in the dims."""

    label: str | None
    size: str

    @property
    def fixed(self) -> bool:
        """Whether the size is a number."""
        return not re.search(r"[TU]", self.size)

    def at(self, dims: dict[str, int]) -> int:
        """The size in numbers."""
        return int(eval(self.size.replace(" / ", " // "), {}, FIXED | dims))

    @property
    def least(self) -> int:
        """The size where the free dims are smallest; sizes grow with the dims."""
        return self.at(dict.fromkeys(FREE, LEAST))

    @property
    def text(self) -> str:
        """As a type writes it."""
        if self.label is None or self.label == self.size:
            return self.size
        return f"{self.label}: {self.size}"


@dataclass(frozen=True)
class Ten:
    """A tensor. `fin` is the size of an index type."""

    axes: tuple[Ax, ...]
    fin: str | None = None

    @property
    def text(self) -> str:
        """As a type writes it."""
        kind = "Real" if self.fin is None else f"Fin({self.fin})"
        return kind + (f"[{', '.join(a.text for a in self.axes)}]" if self.axes else "")

    @property
    def named(self) -> bool:
        """Whether every axis can be named."""
        return all(a.label is not None for a in self.axes)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the axes that have one."""
        return tuple(a.label for a in self.axes if a.label is not None)

    def elements(self) -> int:
        """How many numbers, where free dims are a little more than least."""
        count = 1
        for axis in self.axes:
            count *= axis.at(dict.fromkeys(FREE, LEAST + 1))
        return count


Product: TypeAlias = tuple[Ten, ...]


def show(product: Product) -> str:
    """An object as the language writes it."""
    return " @ ".join(t.text for t in product) if product else "()"


def own(label: str) -> Ax:
    """The axis of a dim."""
    return Ax(label, label)


@dataclass(frozen=True)
class Text:
    """A piece of an expression and how tightly it binds: 0 lambda, 1 `>>`, 2 `&` and `@`, 3 anything tighter."""

    text: str
    level: int

    def within(self, level: int) -> str:
        """The text as an operand of something that binds at `level`."""
        return self.text if self.level > level else f"({self.text})"


def seq(steps: list[Text]) -> Text:
    """`f >> g >> …`."""
    if len(steps) == 1:
        return steps[0]
    return Text(" >> ".join(s.within(1) for s in steps), 1)
