"""What a root asks of its inputs, in the spec's words.

entry(...)     if image.shape[-2:] != (8, 8): raise ValueError("mlp: input image must be Real[..., H=8, W=8], …")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor

from catdl.diagram.model import Fact
from catdl.diagram.told import linear_in
from catdl.torch.scope import Scope, Value, sizes_of
from catdl.torch.shapes import shape
from catdl.torch.wrap import WIDTH
from catdl.types.dtypes import Storage, storage
from catdl.types.poly import from_terms
from catdl.types.ragged import fin, is_ragged, ragged_syms
from catdl.types.sizes import Bound, Poly, Size, Sym, free_syms, neg, not_negative, short, show, sub, sym
from catdl.types.types import Axis, Leaf, show_form, show_kind

_STORED: dict[Storage, str] = {
    "float": "not {}.is_floating_point()",
    "int": "{}.dtype != torch.int64",
    "bool": "{}.dtype != torch.bool",
    "complex": "not {}.is_complex()",
}
"""The test that a tensor does not hold what its kind is stored as."""

_BROKEN = {
    ">=": ("<", "at least"),
    ">": ("<=", "more than"),
    "<=": (">", "at most"),
    "<": (">=", "less than"),
}
"""The test that an inequality is broken, and how it is told."""

_TURNED = {"==": "==", ">=": "<=", "<=": ">=", ">": "<", "<": ">"}

_WORDS: dict[Storage, str] = {"int": " in torch.int64", "bool": " in torch.bool"}


class Entry:
    """The statements at the start of a function that bind free dims, and in a root check the inputs."""

    __slots__ = ("_bound", "_late", "_lines", "_name", "_packed", "_scope", "_segments", "_told", "_values")

    def __init__(self, scope: Scope, name: str, values: list[Value], packed: Sequence[Axis | None] = ()) -> None:
        self._scope = scope
        self._name = name
        self._values = values
        self._packed = {value.text: axis for value, axis in zip(values, packed, strict=False) if axis is not None}
        self._segments: dict[str, None] = {}  # the var dims whose segments are made
        self._told: set[str] = set()  # the trees that var dims are told by
        self._bound: set[str] = set()
        self._lines: list[str | tuple[str, str]] = []  # a pair binds a dim, if anything reads it
        self._late: list[tuple[Value, int, Size]] = []

    @property
    def bound(self) -> set[str]:
        """The dims that a check bound."""
        return self._bound

    def check(
        self,
        facts: tuple[Fact, ...],
        bounds: tuple[Bound, ...] = (),
        padded: Mapping[str, set[str]] | None = None,
        grown: Mapping[str, Sequence[int]] | None = None,
    ) -> list[str]:
        """Ranks, sizes, batch axes, divisibility and bounds; binds every dim that the inputs tell.

        `padded`: free dims that are as large as the largest sample of some var dims. `grown`: the var dims of the nodes
        of trees, with the inputs that these are.
        """
        trees = dict.fromkeys(place for places in (grown or {}).values() for place in places)
        for place in trees:
            self._input(self._values[place])
        for dim, places in (grown or {}).items():
            self._grow(dim, [self._values[place] for place in places])
        for place, value in enumerate(self._values):
            if place not in trees:
                self._input(value)
            if value.text in self._packed:
                self._pack(value, self._packed[value.text])
        self._offsets()
        for dim, rows in (padded or {}).items():
            if dim not in self._bound:
                longest = [f"{self._scope.segments(name)}.longest" for name in sorted(rows)]
                self._lines.append((dim, longest[0] if len(longest) == 1 else f"max({', '.join(longest)})"))
                self._bound = self._bound | {dim}
        for value, position, size in self._late:
            if isinstance(size, Poly) and size.syms <= self._bound:
                self._refuse(f"{value.text}.shape[{position}] != {self._size(size)}", value)
        if self._segments:
            self._counts()
        else:
            self._batch()
        for number, size in facts:
            if isinstance(size, int) or not size.syms <= self._bound:
                continue
            text = self._size(size)
            self._unless(f"{_factor(text)} % {number} != 0", f"{number} must divide {show(size)}", size.syms)
        for bound in tightest([bound for bound in bounds if _dims_of(bound) <= self._bound]):
            test, words = self._limit(bound)
            self._unless(test, words, _dims_of(bound))
        return self._written()

    def _unless(self, test: str, words: str, dims: frozenset[str]) -> None:
        names = {n: self._scope.dim_name(n) + (".tolist()" if is_ragged(n) else "") for n in sorted(dims)}
        got = ", ".join(f"{short(n)}={{{text}}}" for n, text in names.items())
        if any(map(is_ragged, dims)):  # true of any sample
            parts = test.split(" or ")
            either = parts[0] if len(parts) == 1 else " | ".join(f"({part})" for part in parts)
            test = f"not torch.compiler.is_compiling() and bool(({either}).any())"
        self._lines += [f"if {test}:", *self._raise(words, got)]

    def _limit(self, bound: Bound) -> tuple[str, str]:
        """The test that a bound is broken, and what to say, with the number on the right."""
        left, op, right = turned(bound)
        here, there = self._size(left), self._size(right)
        match op:
            case "==":
                return f"{here} != {there}", f"{show(left)} must be {show(right)}"
            case "|":
                # Of a size 0 there is no remainder.
                return (
                    f"{here} < 1 or {_factor(there)} % {_factor(here)} != 0",
                    f"{show(left)} must divide {show(right)}",
                )
            case _:
                broken, words = _BROKEN[op]
                return f"{here} {broken} {there}", f"{show(left)} must be {words} {show(right)}"

    def bind(self) -> tuple[list[str], tuple[str, ...]]:
        """The dims that the body reads, from the inputs; those that no input tells are given back."""
        missing: list[str] = []
        for name, text in self._scope.used_dims.items():
            found = self._find(name)
            if found is None:
                missing.append(name)
            else:
                self._lines.append(f"{text} = {found}")
        return self._written(), tuple(missing)

    def _written(self) -> list[str]:
        dims, used = self._dims(), self._scope.used_dims
        lines = []
        for line in self._lines:
            if isinstance(line, str):
                lines.append(line)
            elif line[0] in used:
                lines.append(f"{dims[line[0]]} = {line[1]}")
        return lines

    def _dims(self) -> dict[str, str]:
        return self._scope.dim_names()

    def _size(self, size: Size) -> str:
        return self._scope.size(size)

    def _find(self, name: str) -> str | None:
        for value in self._values:
            sizes = sizes_of(value.leaf)
            for k, size in enumerate(sizes):
                if isinstance(size, Poly) and size.syms == {name}:
                    solved = _solve(f"{value.text}.shape[{k - len(sizes)}]", size)
                    if solved is not None:
                        return solved
        return None

    def _input(self, value: Value) -> None:
        if value.leaf.kind.form is not None:
            self._tree(value, show_form(value.leaf.kind.form))
            return
        sizes = sizes_of(value.leaf)
        rank = len(sizes)
        binds: list[tuple[str, str]] = []
        tests: list[str] = []
        known = True
        local = set(self._bound)
        for k, size in enumerate(sizes):
            place = f"{value.text}.shape[{k - rank}]"
            if isinstance(size, int) or size.syms <= local:
                if isinstance(size, Poly) and not size.syms <= self._bound:
                    self._late.append((value, k - rank, size))  # a dim that this very input binds
                    known = False
                else:
                    tests.append(f"{place} != {self._size(size)}")
                continue
            known = False
            solved = _solve(place, size) if len(size.syms - local) == 1 and len(size.syms) == 1 else None
            if solved is None:
                self._late.append((value, k - rank, size))
                continue
            (name,) = size.syms
            local.add(name)
            binds.append((name, solved))
            if not _bare(size):
                self._late.append((value, k - rank, size))
        if known:
            wanted = ", ".join(self._size(size) for size in sizes)
            whole = f"{value.text}.shape != ({wanted}{',' if rank == 1 else ''})"
            last = f"{value.text}.shape[-{rank}:] != ({wanted}{',' if rank == 1 else ''})"
            tests = [whole] if not value.batched else [last] if rank else []
        else:
            compare = "<" if value.batched else "!="
            tests = [f"{value.text}.ndim {compare} {rank}", *tests]
        if value.text in self._packed:
            tests = [f"{value.text}.ndim != {rank + 1}", *(t for t in tests if ".ndim " not in t)]
        self._refuse(" or ".join((*tests, _STORED[storage(value.leaf.kind)].format(value.text))), value)
        self._lines += binds
        self._bound = local

    def _tree(self, value: Value, form: str) -> None:
        words = f"input {value.text} must be trees of {_braced(form)}"
        test = f'if getattr({value.text}, "form", None) != "{form}":'
        self._lines += [test, *self._raise(words, f"{{{value.text}!r:.100}}")]

    def _batch(self) -> None:
        first: Value | None = None
        for value in self._values:
            if not value.batched:
                continue
            if first is None:
                first = value
                continue
            got = f"{{tuple({first.text}.shape)}} and {{tuple({value.text}.shape)}}"
            words = f"inputs {first.text} and {value.text} must have the same leading batch axes"
            self._lines += [f"if {_lead(value)} != {_lead(first)}:", *self._raise(words, got)]

    def _pack(self, value: Value, axis: Axis) -> None:
        """The first tensor along a var dim says with its offsets how it is packed; others must be as long."""
        (dim,) = ragged_syms(axis.size)
        name = self._scope.segments(dim)
        if dim in self._segments:
            got = f"{{{value.text}.shape[0]}} and {{{name}.total}}"
            words = f"input {value.text} must have as many elements as `{short(dim)}` says"
            self._lines += [f"if {value.text}.shape[0] != {name}.total:", *self._raise(words, got)]
        else:
            self._segments[dim] = None
            self._lines.append(f'{name} = Segments.of({name}, "{self._name}: {short(dim)}", {value.text})')

    def _grow(self, dim: str, trees: list[Value]) -> None:
        """The nodes of trees say what a var dim is; where there are several batches, they must agree."""
        first, *rest = trees
        self._told.add(first.text)
        name = self._scope.segments(dim)
        self._segments[dim] = None
        self._lines.append(f"{name} = Segments({first.text}.offsets, len({first.text}.tags))")
        for value in rest:
            words = f"inputs {first.text} and {value.text} must have as many nodes in each tree: `{short(dim)}`"
            got = f"{{{first.text}!r:.50}} and {{{value.text}!r:.50}}"
            test = f"if not torch.equal({value.text}.offsets, {name}.offsets):"
            self._lines += [test, *self._raise(words, got)]

    def _offsets(self) -> None:
        """Segments of the var dims that no input is packed by, and the range of what is an index into any."""
        for dim in self._scope.used_rows:
            if dim not in self._segments:
                self._segments[dim] = None
                name = self._scope.segments(dim)
                self._lines.append(f'{name} = Segments.of({name}, "{self._name}: {short(dim)}")')
        self._bound = self._bound | self._segments.keys()

    def _counts(self) -> None:
        """One batch axis, of as many samples as every var dim has; indices lie in their own sample."""
        first, *rest = (self._scope.segments(dim) for dim in self._segments)
        for name in rest:
            got = f"{{{first}.count}} and {{{name}.count}}"
            words = f"{first} and {name} must be of as many samples"
            self._lines += [f"if {name}.count != {first}.count:", *self._raise(words, got)]
        for value in self._values:
            if value.batched and value.text not in self._packed and value.text not in self._told:
                wanted = f"{value.text}.ndim != {value.rank + 1} or {value.text}.shape[0] != {first}.count"
                if value.leaf.kind.form is not None:  # trees have one batch axis
                    wanted = f"len({value.text}) != {first}.count"
                words = f"input {value.text} must have one batch axis, of {{{first}.count}} samples"
                self._lines += [f"if {wanted}:", *self._raise(words, f"{{tuple({value.text}.shape)}}")]
            if (dim := fin(value.leaf)) is not None:
                axis = self._packed.get(value.text)
                by = "None" if axis is None else self._scope.segments(min(ragged_syms(axis.size)))
                name = self._scope.segments(dim)
                self._lines.append(f'{name}.check({value.text}, {by}, "{self._name}: input {value.text}")')

    def _refuse(self, test: str, value: Value) -> None:
        axis = self._packed.get(value.text)
        leaf = value.leaf if axis is None else Leaf(value.leaf.kind, (axis, *value.leaf.axes))
        wanted = f"{show_kind(value.leaf.kind)}{shape(leaf, bool(value.batched) and axis is None)}"
        words = f"input {value.text} must be {_braced(wanted)}{_WORDS.get(storage(value.leaf.kind), '')}"
        got = f"{{tuple({value.text}.shape)}} in {{{value.text}.dtype}}"
        self._lines += [f"if {test}:", *self._raise(words, got)]

    def _raise(self, words: str, got: str) -> list[str]:
        return _raised(f"{self._name}: {words}, ", got)


def given(scope: Scope, name: str, value: Value) -> list[str]:
    """What a module of another package gave, checked against the declared type."""
    sizes = [scope.size(size) for size in sizes_of(value.leaf)]
    wanted = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
    found = f"{value.text}.shape[1:]" if value.batched else f"{value.text}.shape"
    words = f"{name}: the output must be {_braced(shape(value.leaf, bool(value.batched)))}, "
    return [f"if {found} != {wanted}:", *_raised(words, f"{{tuple({value.text}.shape)}}")]


def turned(bound: Bound) -> tuple[Size, str, Size]:
    """A bound as it is told: `4 <= T` of T, and `T - 4 >= 0`, which nobody wrote, as `T >= 4`."""
    left, op, right = bound.left, bound.op, bound.right
    if isinstance(left, int) and op in _TURNED:
        left, op, right = right, _TURNED[op], left
    if op != ">=" or right != 0 or isinstance(left, int):
        return left, op, right
    limit = _limit_of(left)
    if limit is not None:
        return sym(limit[0]), ">=" if limit[2] else "<=", limit[1]
    constant = next((coef for mono, coef in left.terms if not mono.pairs), 0)
    slope = [coef for mono, coef in left.terms if mono.pairs]
    if constant.denominator != 1:
        return left, op, right
    rest = sub(left, int(constant))
    if all(coef > 0 for coef in slope):
        return rest, ">=", -int(constant)
    if all(coef < 0 for coef in slope):
        return neg(rest), "<=", int(constant)
    above = from_terms({mono: coef for mono, coef in left.terms if mono.pairs and coef > 0})
    return above, ">=", sub(above, left)


def tightest(bounds: list[Bound]) -> list[Bound]:
    """Bounds without those that others imply: of one dim, one limit on each side; of more, each once."""
    kept: dict[tuple[str, bool] | Size | Bound, Bound] = {}
    for bound in bounds:
        size = not_negative(bound)
        limit = _limit_of(size) if isinstance(size, Poly) else None
        if limit is None:
            kept.setdefault(bound if size is None else size, bound)
            continue
        name, number, least = limit
        old = kept.get((name, least))
        before = _limit_of(not_negative(old)) if old is not None else None
        if before is None or (number > before[1] if least else number < before[1]):
            kept[name, least] = bound
    return list(kept.values())


def _limit_of(size: Size | None) -> tuple[str, int, bool] | None:
    """`(T, 4, True)` where the size is not negative just when T is at least 4; with False: at most."""
    if not isinstance(size, Poly):
        return None
    slope = [(mono, coef) for mono, coef in size.terms if mono.pairs]
    offset = next((coef for mono, coef in size.terms if not mono.pairs), 0)
    if len(slope) != 1:
        return None
    mono, coef = slope[0]
    atom, power = mono.pairs[0]
    if mono.degree != 1 or power != 1 or not isinstance(atom, Sym):
        return None
    ratio = -Fraction(offset) / coef
    return atom.name, ceil(ratio) if coef > 0 else floor(ratio), coef > 0


def _dims_of(bound: Bound) -> frozenset[str]:
    return free_syms(bound.left) | free_syms(bound.right)


def _factor(text: str) -> str:
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def _raised(message: str, got: str) -> list[str]:
    line = f'    raise ValueError(f"{message}got {got}")'
    first = f'"{message}"' if "{" not in message else f'f"{message}"'
    if len(line) + 8 <= WIDTH:
        return [line]
    whole = f'        f"{message}got {got}"'
    if len(whole) + 8 <= WIDTH:
        return ["    raise ValueError(", whole, "    )"]
    return ["    raise ValueError(", f"        {first}", f'        f"got {got}"', "    )"]


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _lead(value: Value) -> str:
    return f"{value.text}.shape" if not value.rank else f"{value.text}.shape[:-{value.rank}]"


def _bare(size: Poly) -> bool:
    (mono, coef), *rest = size.terms
    return not rest and coef == 1 and mono.degree == 1 and isinstance(mono.pairs[0][0], Sym)


def _solve(place: str, size: Poly) -> str | None:
    """The one dim of a size c * T + d from its value; None where the size has another form."""
    found = linear_in(size)
    if found is None:
        return None
    _, coef, offset = found
    text = place if offset == 0 else f"{place} - {offset}" if offset > 0 else f"{place} + {-offset}"
    if coef == 1:
        return text
    return f"{place} // {coef}" if offset == 0 else f"({text}) // {coef}"
