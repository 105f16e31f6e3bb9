"""Names, values and sizes inside one generated function: what is written so far and what a name still holds.

Guarantees: a name is given again only after the value it held was read for the last time, so that `x = relu(x)` is
written where `x` dies, and never otherwise; names and their order depend on the diagram alone.

    scope.assign(("F.relu(x)",), (wire,))      writes `x = F.relu(x)`
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from typing import TypeAlias

from catdl.torch.names import ident
from catdl.types.dtypes import storage
from catdl.types.ragged import is_ragged
from catdl.types.sizes import Poly, Size, short, to_python
from catdl.types.types import Leaf, axis_sizes

Number: TypeAlias = "int | Fraction | bool | float"

_POOL = ("x", "y", "z", "u", "w")
RESERVED = frozenset(
    """
    self torch nn F math Tensor Tree Each Reparameterised batch training dtype super range reversed next int bool float
    tuple list len min max ValueError zip functools partial abs index device _
    fused_lstm fused_gru fused_rnn_tanh fused_rnn_relu affine_scan AffineScan
    mapped_attention
    """.split()  # noqa: SIM905
)


class Mode(IntEnum):
    """Which axes lead a tensor before those of its type.

    STACKED: only those of `each`, as its weights have; BATCHED: all batch axes, of which those are the last.
    """

    CONSTANT = 0
    STACKED = 1
    BATCHED = 2


class Var:
    """A Python variable and how many values still live in it."""

    __slots__ = ("holders", "name", "pool")

    def __init__(self, name: str, pool: bool) -> None:
        self.name = name
        self.pool = pool
        self.holders = 0


@dataclass(slots=True)
class Value:
    """What a wire is in the text: an expression that may be read again at no cost.

    `batched`: which batch axes lead. `scalar`: a Python number, known (`number`) or computed from sizes.
    """

    text: str
    leaf: Leaf
    batched: Mode
    var: Var | None = None
    scalar: bool = False
    number: Number | None = None
    uses: int = 0

    @property
    def rank(self) -> int:
        """The number of axes of the type."""
        return len(self.leaf.axes)

    @property
    def floating(self) -> bool:
        """Whether it is a tensor in the module's floating dtype."""
        return not self.scalar and storage(self.leaf.kind) == "float"


@dataclass(slots=True)
class Line:
    """One statement and what its result looks like."""

    text: str
    comment: str = ""


@dataclass(slots=True)
class Scope:
    """The inside of one function while it is written."""

    module_names: frozenset[str]  # functions and classes of the file
    lines: list[Line] = field(default_factory=list)
    used_dims: dict[str, str] = field(default_factory=dict)  # dims read, in the order of first use
    used_rows: dict[str, None] = field(default_factory=dict)  # var dims along which anything is done
    local_rows: dict[str, str] = field(default_factory=dict)  # those of the loop that is open, with their variables
    imports: set[str] = field(default_factory=set)
    device_from: str | None = None
    dtype_from: str | None = None
    wants_dtype: bool = False
    wants_device: bool = False
    training: str = "self.training"
    mapped: bool = False  # it may run inside `torch.vmap`
    _dims: dict[str, str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _ever: set[str] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=dict)
    _pool_free: list[int] = field(default_factory=list)
    _pool_next: int = 2
    _floats: dict[int, Value] = field(default_factory=dict)
    _shared: dict[object, tuple[str, int]] = field(
        default_factory=dict
    )  # what several boxes read, and how deep it is made
    _depth: int = 0  # of the blocks that are open
    _round: list[str] = field(default_factory=list)  # what goes round in them, whose names come back at their end

    def _is_taken(self, name: str) -> bool:
        return name in self._taken or name in RESERVED or name in self.module_names

    # sizes

    def declare_dims(self, sizes: list[Size]) -> None:
        """Fix the variable of every dim that occurs in these sizes."""
        for size in sizes:
            if isinstance(size, Poly):
                for name in sorted(size.syms):
                    if name not in self._dims:
                        self._dims[name] = self.reserve(ident(short(name)))

    def size(self, size: Size) -> str:
        """The Python expression of a size."""
        return to_python(size, self.dim_name)

    def dim_name(self, name: str) -> str:
        """The variable that holds a free dim; from now on the function binds it. Of a var dim, the samples' sizes."""
        if is_ragged(name):
            return f"{self.segments(name)}.sizes"
        text = self._dims.get(name)
        if text is None:
            text = self._dims[name] = self.reserve(ident(short(name)))
        self.used_dims.setdefault(name, text)
        return text

    def segments(self, name: str) -> str:
        """The variable that holds the segments of a var dim; from now on the function is given them."""
        if name in self.local_rows:
            return self.local_rows[name]
        text = self._dims.get(name)
        if text is None:
            text = self._dims[name] = self.reserve(ident(short(name)))
        self.used_rows.setdefault(name)
        return text

    def dim_names(self) -> dict[str, str]:
        """Every dim that has a variable."""
        return self._dims

    # names

    def reserve(self, base: str) -> str:
        """A name that is never given again."""
        name = self._numbered(base) if self._is_taken(base) or base in self._round else base
        self._taken.add(name)
        return name

    def _numbered(self, base: str) -> str:
        number = self._numbers.get(base, 2)
        while self._is_taken(f"{base}_{number}") or f"{base}_{number}" in self._round:
            number += 1
        self._numbers[base] = number + 1
        return f"{base}_{number}"

    def name(self, wanted: str | None, dying: list[Var]) -> Var:
        """A variable for a new value: the wire's own name, else that of a value that dies here, else the next free."""
        if wanted is not None:
            base = ident(wanted)
            return self._take(self._numbered(base) if self._is_taken(base) else base, False)
        for var in dying:
            if var.pool and not self._is_taken(var.name):
                return self._take(var.name, True)
        for name in _POOL:
            if not self._is_taken(name):
                return self._take(name, True)
        while self._pool_free:
            name = f"x_{heapq.heappop(self._pool_free)}"
            if not self._is_taken(name):
                return self._take(name, True)
        while self._is_taken(f"x_{self._pool_next}"):
            self._pool_next += 1
        self._pool_next += 1
        return self._take(f"x_{self._pool_next - 1}", True)

    def _take(self, name: str, pool: bool) -> Var:
        self._taken.add(name)
        return Var(name, pool or name == "x")

    def first_time(self, var: Var) -> bool:
        """Whether the variable is bound for the first time in this function."""
        if var.name in self._ever:
            return False
        self._ever.add(var.name)
        return True

    def hold(self, value: Value) -> Value:
        """Enter a value that will be read `value.uses` times."""
        if value.var is not None and value.uses:
            value.var.holders += 1
        if value.floating and value.uses:
            self._floats[id(value)] = value
        return value

    def release(self, value: Value) -> Var | None:
        """One reading of a value is done; the variable, if it is free now."""
        value.uses -= 1
        if value.uses > 0:
            return None
        self._floats.pop(id(value), None)
        if value.var is None:
            return None
        value.var.holders -= 1
        return self.free(value.var) if value.var.holders == 0 else None

    def take(self, var: Var) -> None:
        """A variable that was given back is used again."""
        self._taken.add(var.name)

    def free(self, var: Var) -> Var:
        """Give a variable's name back."""
        self._taken.discard(var.name)
        if var.name.startswith("x_") and var.name[2:].isdigit():
            heapq.heappush(self._pool_free, int(var.name[2:]))
        return var

    # references

    def device(self) -> str:
        """The device that constants are made on, as a keyword argument; empty where nothing says."""
        if self.device_from is None:
            return ""
        self.wants_device |= self.device_from.startswith("next(")
        return ", device=device" if self.wants_device else f", device={self.device_from}.device"

    def dtype(self) -> str:
        """The module's floating dtype as an expression."""
        for value in self._floats.values():
            return f"{value.text}.dtype"
        if self.dtype_from is None:
            return "torch.get_default_dtype()"
        if self.dtype_from.startswith("self.") or self.wants_dtype:
            return "dtype" if self.wants_dtype else f"{self.dtype_from}.dtype"
        self.wants_dtype = True
        return "dtype"

    def keep(self, expr: str, base: str) -> str:
        """Write `base = expr` under a name that stays bound to the end of the function."""
        name = self.reserve(base)
        self.write(f"{name} = {expr}")
        return name

    def shared(self, key: object, base: str, expr: Callable[[], str]) -> str:
        """The name of a value that all who ask with one key read; what is made in a loop is not known after it."""
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = (self.keep(expr(), base), self._depth)
        return found[0]

    def write(self, text: str, comment: str = "") -> None:
        """Add one statement."""
        self.lines.append(Line("    " * self._depth + text, comment))

    def insert(self, place: int, text: str) -> None:
        """Put a statement before the head of the innermost block."""
        self.lines.insert(place, Line("    " * (self._depth - 1) + text))

    def open_block(self, names: list[str]) -> None:
        """What follows stands in a loop in which these names go round."""
        self._depth += 1
        self._round += names

    def shut_block(self, count: int) -> None:
        """The end of a loop; one without statements is none."""
        self._depth -= 1
        self._shared = {key: made for key, made in self._shared.items() if made[1] <= self._depth}
        del self._round[len(self._round) - count :]
        if self.lines[-1].text.endswith(":"):
            self.lines.pop()


def joined(values: Iterable[Value]) -> Mode:
    """Which axes lead what is computed from these."""
    return max((value.batched for value in values), default=Mode.CONSTANT)


def sizes_of(leaf: Leaf) -> tuple[Size, ...]:
    """The sizes of a closed type."""
    return axis_sizes(leaf)
