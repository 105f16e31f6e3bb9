"""Units of one morphism that differ in nothing but numbers, as one class or function that takes the numbers.

Takes written units, those that others use first. Guarantees: each unit has one family, whose text with the numbers of
the unit is the text of the unit; numbers that vary together are one parameter; only units whose text agrees apart from
numbers are compared with each other.

    conv(64, 7), conv(128, 3)      class Conv(nn.Module): def __init__(self, in_channels: int, c: int, k: int) -> None
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from catdl.torch.hints import Hint, hints
from catdl.torch.marks import MAKER, NAME, settled
from catdl.torch.names import Namer
from catdl.torch.parameters import MOST, Column, Parameters, Varying
from catdl.torch.plan import Plan, Unit
from catdl.torch.scope import RESERVED
from catdl.torch.skeleton import LINE, NUMBER, SECTION, Skeleton, dissect, marks_of
from catdl.torch.unit import Writer

POSITIONAL = 3
"""How many numbers are given without their names."""

_OPERATOR_BEFORE, _OPERATOR_AFTER = re.compile(r"[-+*/%~]\s*$"), re.compile(r"\s*[-+*/%]")


@dataclass(slots=True)
class Written:
    """Statements of a unit, with marks: `__init__`, `reset_parameters`, `_make` with its head, `forward`, `_begin`."""

    writer: Writer
    made: list[str]
    starts: list[str]
    remade: list[str]
    body: list[str]
    comments: list[str]  # of `_make` and the body, one for each line
    begin: list[str] = field(default_factory=list)  # of what says how states begin
    skeleton: Skeleton = field(default_factory=lambda: Skeleton((), ()))

    @property
    def unit(self) -> Unit:
        """What is written."""
        return self.writer.unit

    def text(self) -> str:
        """All statements in one text."""
        return SECTION.join(LINE.join(lines) for lines in (self.made, self.starts, self.remade, self.body, self.begin))


@dataclass(slots=True, eq=False)
class Family:
    """A class or function: the first of its units, what it takes, and what stands in each slot of its text."""

    first: Written
    members: list[Written]  # those that differ
    parameters: Parameters
    slots: list[Column]
    name: str = ""

    def expression(self, place: int, inside: bool) -> str:
        """The number at a place; `inside`: where a class has its parameters as attributes."""
        return self.parameters.expression(place, self.slots[place], inside and self.first.unit.is_class)

    def numbers(self, k: int) -> tuple[str, ...]:
        """What unit k of those that differ gives for each parameter."""
        return tuple(column[k] for column in self.parameters.columns)


class Families:
    """The families of a file, in the order in which they are printed."""

    __slots__ = ("_of", "_numbers", "list")

    def __init__(self, written: Sequence[Written], names: frozenset[str]) -> None:
        self._of: dict[int, Family] = {}
        self._numbers: dict[int, tuple[str, ...]] = {}
        self.list: list[Family] = []
        bases = Counter(w.unit.base for w in written)
        levels: dict[int, list[Written]] = {}
        for w in written:
            levels.setdefault(w.unit.depth, []).append(w)
        for depth in sorted(levels):
            groups: dict[tuple[object, ...], list[Written]] = {}
            for w in levels[depth]:
                alone = w.unit.root or bases[w.unit.base] == 1
                dims = frozenset(w.writer.scope.dim_names().values())
                w.skeleton = marks_of(w.text()) if alone else dissect(w.text(), dims)
                groups.setdefault(self._key(w), []).append(w)
            for group in groups.values():
                self._enter(group, names)
        order = {w.unit.index: k for k, w in enumerate(written)}
        self.list.sort(key=lambda family: order[family.first.unit.index])

    def _key(self, w: Written) -> tuple[object, ...]:
        """What must be equal in two units that are one class."""
        unit = w.unit
        slots = (
            slot.kind if slot.kind == NUMBER else (slot.kind, id(self._of[slot.unit])) for slot in w.skeleton.slots
        )
        outputs = len(unit.flat.outputs)
        head = (unit.root, unit.base, unit.is_class, unit.dims, unit.lead, unit.info.training, outputs)
        return (*head, *w.writer.args, w.skeleton.texts, *slots)

    def _enter(self, group: list[Written], names: frozenset[str]) -> None:
        different: dict[tuple[str, ...], list[Written]] = {}
        for w in group:
            different.setdefault(tuple(self._values(w)), []).append(w)
        family = self._family(list(different), [same[0] for same in different.values()], names)
        if len(family.parameters.columns) > MOST:
            for values, same in different.items():
                self._add(self._family([values], [same[0]], names), [same])
        else:
            self._add(family, list(different.values()))

    def _add(self, family: Family, members: list[list[Written]]) -> None:
        self.list.append(family)
        for k, same in enumerate(members):
            for w in same:
                self._of[w.unit.index] = family
                self._numbers[w.unit.index] = family.numbers(k)

    def _values(self, w: Written) -> list[str]:
        """All numbers of a unit in the order of its text, those given to other units in place."""
        values: list[str] = []
        for slot in w.skeleton.slots:
            if slot.kind == NUMBER:
                values.append(slot.text)
            elif slot.kind != NAME:
                values += self._numbers[slot.unit]
        return values

    def _family(self, rows: list[tuple[str, ...]], members: list[Written], names: frozenset[str]) -> Family:
        first = members[0]
        columns = list(zip(*rows, strict=True))
        varying = [Varying(k, column) for k, column in enumerate(columns) if len(set(column)) > 1]
        if varying:
            named = self._hints(first)
            varying = [Varying(v.place, v.column, *named[v.place]) for v in varying]
            if not first.unit.is_class:
                names |= {*first.writer.args, *first.writer.scope.dim_names().values()}
        parameters = Parameters(first.skeleton, [w.unit for w in members], varying, names)
        return Family(first, members, parameters, columns)

    def _hints(self, w: Written) -> list[Hint]:
        """What each number of a unit could be called, and what it is for."""
        found: list[Hint] = []
        for slot, hint in zip(w.skeleton.slots, hints(w.skeleton), strict=True):
            if slot.kind == NUMBER:
                found.append(hint)
            elif slot.kind != NAME:
                found += (Hint(name, hint.attribute) for name in self._of[slot.unit].parameters.names)
        return found

    def name(self, plan: Plan) -> None:
        """Name every family, the root's first."""
        namer = Namer(RESERVED, plan.taken)
        root = next(family for family in self.list if family.first.unit.root)
        for family in (root, *(family for family in self.list if family is not root)):
            family.name = namer.fresh(family.first.unit.base)

    # text

    def statements(self, family: Family) -> tuple[list[str], ...]:
        """The statements of a family: of `__init__`, `reset_parameters`, `_make`, `forward`, `_begin`."""
        parts: list[str] = []
        place = 0
        inside = False  # past `__init__`, where a parameter is an attribute
        texts, slots = family.first.skeleton.texts, family.first.skeleton.slots
        for k, text in enumerate(texts):
            parts.append(text)
            inside = inside or SECTION in text
            if k == len(slots):
                break
            slot = slots[k]
            if slot.kind == NUMBER:
                value = family.expression(place, inside)
                parts.append(_tight(value, text, texts[k + 1]))
                place += 1
                continue
            other = self._of[slot.unit]
            if slot.kind == NAME:
                parts.append(other.name)
                continue
            count = len(other.parameters.columns)
            given = [family.expression(k, inside) for k in range(place, place + count)]
            place += count
            arguments = _given(other, given)
            if slot.kind == MAKER:
                parts.append(f"lambda: {other.name}({arguments})" if arguments else other.name)
            else:
                parts.append(f", {arguments}" if arguments and not text.endswith("(") else arguments)
        return tuple(part.split(LINE) if part else [] for part in settled("".join(parts)).split(SECTION))


def _given(family: Family, values: list[str]) -> str:
    """Arguments for the numbers of a family: the first by place, the others by name; by name all of a function."""
    places = POSITIONAL if family.first.unit.is_class else 0
    names = family.parameters.names
    return ", ".join(value if k < places else f"{names[k]}={value}" for k, value in enumerate(values))


def _tight(value: str, before: str, after: str) -> str:
    if " " not in value:
        return value
    operator = _OPERATOR_BEFORE.search(before) is not None or _OPERATOR_AFTER.match(after) is not None
    return f"({value})" if operator else value
