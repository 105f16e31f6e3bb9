"""The parameters of a class or function that stands for several units: named as the spec names them.

A number that is a static argument of the morphism has its name; one that the spec computes from these (`c / 4`) is
written so; another is called after what it is given to, or after the axis whose size it is.

    conv(c, k, s) used as conv(64, 7, 2), conv(128, 3, 1)      in_channels, c, k, s; padding is k // 2
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from catdl.diagram.model import Static
from catdl.torch.names import Namer, attributes, ident
from catdl.torch.plan import Unit
from catdl.torch.pointwise import number_text
from catdl.torch.scope import RESERVED
from catdl.torch.skeleton import Skeleton
from catdl.types.types import Axis, Leaf, axis_sizes, show_label

Column: TypeAlias = tuple[str, ...]
"""One number as the units have it, each in turn."""

MOST = 8
"""A class that would need more parameters than this is printed once for each use."""

_STEP = re.compile(r"(?<![\w.])(?=(\w+)\s*(//|[-+*/])\s*(\w+)(?![\w.]))")
_NAME = re.compile(r"[A-Za-z]\w*")
_WORDS = re.compile(r"([A-Za-z_]\w*)(?!=(?!=)|\w)")
_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "/": operator.floordiv,
}


class Varying(NamedTuple):
    """A number that is not the same in all units, and what it could be called."""

    place: int
    column: Column
    hint: str = ""
    attribute: str = ""  # in whose making it stands


class Computed(NamedTuple):
    """`left op right`, each a static argument or a number."""

    left: str
    op: str
    right: str


class Parameters:
    """What a family takes: names, and the number of each unit for each of them."""

    __slots__ = ("_attributes", "_computed", "_steps", "columns", "names", "types")

    def __init__(
        self, skeleton: Skeleton, units: Sequence[Unit], varying: Sequence[Varying], taken: frozenset[str]
    ) -> None:
        self.columns: list[Column] = []
        self.names: list[str] = []
        self._steps: dict[int, tuple[str, Column, Column]] = {}  # by place
        self._computed: dict[Column, tuple[str, Column, Column]] = {}
        self._attributes: dict[str, str] = {}
        if varying:
            self._find(skeleton, units, varying, taken)
        self.types = [_type(column) for column in self.columns]

    def _find(
        self, skeleton: Skeleton, units: Sequence[Unit], varying: Sequence[Varying], taken: frozenset[str]
    ) -> None:
        spec = _Spec(units)
        own: dict[Column, None] = {}
        used: dict[str, Column] = {}
        for place, column, _, attribute in varying:
            meant = spec.meant(column, attribute)
            if meant is None:
                own.setdefault(column)
            elif isinstance(meant, str):
                used[meant] = column
            else:
                left, right = spec.values(meant.left), spec.values(meant.right)
                for values in (left, right):
                    if (argument := spec.argument(values)) is not None:
                        used[argument] = values
                self._steps[place] = self._computed[column] = (meant.op, left, right)
        if len(own) + len(used) > MOST:
            self.columns = [*own, *used.values()]
            return
        hints: dict[Column, str] = {}
        for _, column, hint, _ in varying:
            if hint:
                hints.setdefault(column, hint)
        unit = units[0]
        namer = Namer(RESERVED, taken, frozenset() if unit.is_class else _words(skeleton))
        for column in own:
            self._add(column, namer.fresh(hints.get(column) or _axis(units, column) or "n"))
        for name in spec.columns:
            if name in used:
                self._add(used[name], namer.fresh(ident(name).lower()))
        if unit.is_class:
            held = frozenset(attributes(skeleton.texts))
            self._attributes = {name: name if name not in held else f"{name}_" for name in self.names}

    def _add(self, column: Column, name: str) -> None:
        self.columns.append(column)
        self.names.append(name)

    def expression(self, place: int, column: Column, inside: bool) -> str:
        """A number as the class or function writes it; `inside`: where a parameter is an attribute."""
        step = self._steps.get(place)
        found = self.known(column, inside) if step is None else self._written(step, inside)
        assert found is not None
        return found

    def _written(self, step: tuple[str, Column, Column], inside: bool) -> str:
        op, left, right = step
        return f"{self.known(left, inside)} {'//' if op == '/' else op} {self.known(right, inside)}"

    def known(self, column: Column, inside: bool = False) -> str | None:
        """The same; None where nothing that the class or function takes tells it."""
        if len(set(column)) <= 1:
            return column[0]
        if column in self.columns:
            name = self.names[self.columns.index(column)]
            return f"self.{self._attributes[name]}" if inside else name
        if column in self._computed:
            return self._written(self._computed[column], inside)
        return None

    def attributes(self, text: str) -> list[str]:
        """The statements that keep the parameters which the text of `forward` reads."""
        return [f"self.{kept} = {name}" for name, kept in self._attributes.items() if _reads(text, kept)]


def _reads(text: str, attribute: str) -> bool:
    return re.search(rf"\bself\.{attribute}\b", text) is not None


class _Spec:
    """What the spec says of the units: their static arguments, and the sums and products of these in its text."""

    __slots__ = ("_count", "_names", "_sites", "_steps", "columns")

    def __init__(self, units: Sequence[Unit]) -> None:
        lists = [_arguments(unit) for unit in units]
        names = list(lists[0]) if all(list(one) == list(lists[0]) for one in lists) else []
        self.columns: dict[str, Column] = {name: tuple(one[name] for one in lists) for name in names}
        self._count = len(units)
        self._names: dict[Column, str] = {}
        self._sites = _texts(units[0])
        texts = dict.fromkeys(text for of_site in self._sites.values() for text in of_site)
        mentions = Counter(word for text in texts for word in _NAME.findall(text))
        for name in sorted(names, key=lambda name: -mentions[name]):
            self._names.setdefault(self.columns[name], name)
        self._steps = self._found(texts)

    def meant(self, column: Column, attribute: str) -> str | Computed | None:
        """What a number is to the spec: an argument, a step, or nothing; first where the attribute's box says so."""
        name = self.argument(column)
        texts = self._sites.get(attribute, {}) if attribute else {}
        if texts and not (name is not None and any(name in _NAME.findall(text) for text in texts)):
            step = self._found(texts).get(column)
            if step is not None:
                return step
        return name if name is not None else self._steps.get(column)

    def _found(self, texts: Iterable[str]) -> dict[Column, Computed]:
        """The sums and products of arguments that stand in texts, by what they come to."""
        steps: dict[Column, Computed] = {}
        for found in (found for text in texts for found in _STEP.finditer(text)):
            step = Computed(found[1], found[2], found[3])
            values = self._result(step)
            if values is not None:
                steps.setdefault(values, step)
        return steps

    def argument(self, column: Column) -> str | None:
        """The argument that has these values; of several the one that the spec speaks of most."""
        return self._names.get(column) if len(set(column)) > 1 else None

    def values(self, side: str) -> Column:
        """An argument or a number as every unit has it."""
        return self.columns.get(side, (side,) * self._count)

    def _result(self, step: Computed) -> Column | None:
        """What a step comes to in every unit; None where it is none of whole numbers, or the same for all."""
        left, right = self.values(step.left), self.values(step.right)
        if not all(text.isdigit() for text in (*left, *right)):
            return None
        pairs = [(int(a), int(b)) for a, b in zip(left, right, strict=True)]
        if "/" in step.op and any(b == 0 for _, b in pairs):
            return None
        if step.op == "/" and any(a % b for a, b in pairs):
            return None
        values = [_OPERATIONS[step.op](a, b) for a, b in pairs]
        return tuple(map(str, values)) if len(set(values)) > 1 else None


def _arguments(unit: Unit) -> dict[str, str]:
    """The static arguments that are numbers, or axes of a known size, as Python writes them."""
    found: dict[str, str] = {}
    for name, value in unit.diagram.arguments:
        text = _number(value.size if isinstance(value, Axis) else value)
        if text is not None:
            found[name] = text
    return found


def _number(value: Static) -> str | None:
    return number_text(value) if isinstance(value, int | Fraction) else None


def _texts(unit: Unit) -> dict[str, dict[str, None]]:
    """The spec's text of every box of a unit, by the attribute that it is."""
    texts: dict[str, dict[str, None]] = {}
    for box in unit.diagram.boxes:
        text = box.span.source.text[box.span.start : box.span.end]
        texts.setdefault((box.site or "").partition(".")[0], {})[text] = None
    return texts


def _axis(units: Sequence[Unit], column: Column) -> str:
    """The axis that has this size in every unit, `size` where it is not always the same; empty where none has it."""
    rows = [[axis for wire in unit.flat.wires for axis in _axes(wire.type)] for unit in units]
    if len({len(row) for row in rows}) > 1:
        return ""
    found = [axes for axes in zip(*rows, strict=True) if tuple(size for _, size in axes) == column]
    same = [axes[0][0] for axes in found if len({label for label, _ in axes}) == 1]
    name = next((label.lower() for label in same if _NAME.fullmatch(label)), "")
    return name or ("size" if found else "")


def _axes(leaf: Leaf) -> list[tuple[str, str]]:
    """The axes of a type: label and size."""
    labels = [show_label(axis.label) if isinstance(axis, Axis) else "" for axis in leaf.axes]
    return list(zip(labels, map(str, axis_sizes(leaf)), strict=True))


def _words(skeleton: Skeleton) -> frozenset[str]:
    """Every name in a text, keywords of calls apart."""
    return frozenset(_WORDS.findall(" ".join(skeleton.texts)))


def _type(column: Column) -> str:
    if all(text in ("True", "False") for text in column):
        return "bool"
    return "int" if all(text.isdigit() for text in column) else "float"
