"""What the lowering of one box sees: its inputs as expressions, its types, sizes and static arguments as Python text.

Natives are written against this class (`docs/natives.md`); the core operations use it too. Positions of axes are
negative (-1 is the last), so that they hold for any number of leading batch axes.

    c.x()              "x"          the first input
    c.dim()            -1           the axis that the signature names
    c.size("stride")   "2"          a static argument as an expression
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from catdl.diagram.model import Native, Parameter, Static
from catdl.torch.scope import Mode, Scope, Value, Var, sizes_of
from catdl.torch.shapes import shape
from catdl.types.dtypes import storage
from catdl.types.sizes import Poly, Size
from catdl.types.types import Axis, AxisItem, Leaf


class Context:
    """One box while it is lowered."""

    __slots__ = ("_kept", "_lead", "_moved", "_params", "inputs", "native", "outputs", "plugged", "scope", "temps")

    def __init__(
        self,
        scope: Scope,
        inputs: list[Value],
        outputs: tuple[Leaf, ...],
        native: Native | None = None,
        params: Callable[[str], str] | None = None,
        plugged: frozenset[str] = frozenset(),
        kept: Callable[[str, str], str] | None = None,
        lead: tuple[Axis, ...] = (),
    ) -> None:
        self._lead = lead  # the axes of `each` and `map` that are batch axes here
        self.scope = scope
        self.inputs = inputs
        self.outputs = outputs
        self.native = native
        self._params = params
        self._kept = kept
        self.plugged = plugged  # the leaves that are given to it
        self._moved = False  # the named axes were moved to the end around the call
        self.temps: list[Var] = []

    # inputs

    def x(self, i: int = 0) -> str:
        """Input i as a tensor expression, safe to be followed by a dot, an index or a bracket."""
        value = self.inputs[i]
        return self.tensor(value) if value.scalar else value.text

    def once(self, i: int = 0) -> str:
        """Input i for an expression that reads it several times: a name."""
        text = self.x(i)
        return text if text.isidentifier() else self.let(text)

    def xs(self) -> str:
        """All inputs, separated by commas."""
        return ", ".join(self.x(i) for i in range(len(self.inputs)))

    def type(self, i: int = 0) -> Leaf:
        """The type of input i."""
        return self.inputs[i].leaf

    def rank(self, i: int = 0) -> int:
        """The number of axes of input i, batch axes not counted."""
        return self.inputs[i].rank

    def batched(self, i: int = 0) -> bool:
        """Whether input i has leading batch axes."""
        return bool(self.inputs[i].batched)

    @property
    def any_batched(self) -> bool:
        """Whether the result has leading batch axes."""
        return any(value.batched for value in self.inputs)

    def axis(self, i: int, position: int) -> str:
        """The size of an axis of input i as an expression; the position counts from the end when negative."""
        return self.scope.size(sizes_of(self.inputs[i].leaf)[position])

    def fixed(self, i: int, position: int) -> int | None:
        """The same where it is a number, None where it depends on a free dim."""
        size = sizes_of(self.inputs[i].leaf)[position]
        return size if isinstance(size, int) else None

    def out_axis(self, position: int, i: int = 0) -> str:
        """The size of an axis of output i as an expression."""
        return self.scope.size(sizes_of(self.outputs[i])[position])

    def out_rank(self, i: int = 0) -> int:
        """The number of axes of output i."""
        return len(self.outputs[i].axes)

    # static arguments of a native

    def raw(self, name: str) -> Static:
        """A static argument as the checker left it."""
        assert self.native is not None
        return self.native.arg(name)

    def has(self, name: str) -> bool:
        """Whether there is such a static argument."""
        return self.native is not None and any(key == name for key, _ in self.native.args)

    def number(self, name: str) -> int | float:
        """A numeric argument."""
        value = self.raw(name)
        if isinstance(value, Fraction):
            return int(value) if value.denominator == 1 else float(value)
        if isinstance(value, int | float):
            return value
        raise AssertionError(f"the argument `{name}` is no number: {value!r}")

    def flag(self, name: str) -> bool:
        """An argument that is true or false."""
        return bool(self.raw(name))

    def word(self, name: str) -> str:
        """An argument that is a word."""
        return str(self.raw(name))

    def size(self, name: str) -> str:
        """An argument that is a number or a size, as an expression."""
        return self.expr(self.raw(name))

    def sizes(self, name: str, count: int) -> tuple[str, ...]:
        """An argument that is a list of sizes, or one size for all `count` places."""
        value = self.raw(name)
        items = value if isinstance(value, tuple) else (value,) * count
        return tuple(self.expr(item) for item in items)

    def expr(self, value: Static) -> str:
        """A static value as a Python expression."""
        match value:
            case Poly():
                return self.scope.size(value)
            case Axis(size=size):
                return self.scope.size(size)
            case Fraction():
                return repr(int(value)) if value.denominator == 1 else repr(float(value))
            case tuple():
                items = ", ".join(self.expr(item) for item in value)
                return f"({items},)" if len(value) == 1 else f"({items})"
            case _:
                return repr(value)

    # axes that the signature names

    def bound(self, name: str) -> tuple[Axis, ...]:
        """What a binder became: its axes."""
        assert self.native is not None
        value = self.native.bind(name)
        return value if isinstance(value, tuple) else (value,)

    def dims(self, count: int, i: int = 0) -> tuple[int, ...]:
        """Where the `count` axes stand that the signature names at the end of input i."""
        assert self.native is not None
        at = None if self._moved or self.native.at_in is None else self.native.at_in[i]
        return tuple(range(-count, 0)) if at is None else at

    def dim(self, i: int = 0) -> int:
        """Where the one axis stands that the signature names at the end of input i."""
        return self.dims(1, i)[0]

    def out_dim(self, i: int = 0) -> int:
        """Where the one axis stands that the signature names at the end of output i."""
        assert self.native is not None
        at = None if self._moved or self.native.at_out is None else self.native.at_out[i]
        return -1 if at is None else at[0]

    def move_named_axes(self) -> None:
        """From here on inputs are read with their named axes at the end."""
        assert self.native is not None
        self._moved = True
        for i, at in enumerate(self.native.at_in or ()):
            if at is not None:
                value = self.inputs[i]
                axes = list(value.leaf.axes)
                moved = [axes[p] for p in at]
                rest = [axis for p, axis in enumerate(axes) if p - len(axes) not in at]
                text = move(self.x(i), at, tuple(range(-len(at), 0)))
                self.inputs[i] = Value(text, Leaf(value.leaf.kind, (*rest, *moved)), value.batched)

    # parameters

    def param(self, path: str) -> str:
        """The expression of a parameter leaf: its own, or what is plugged in."""
        assert self._params is not None
        return self._params(path)

    def leaf(self, path: str) -> Parameter | None:
        """A parameter leaf of the entry, None where this use has none (`bias = false`)."""
        assert self.native is not None
        return next((p for p in self.native.params if p.path == path), None)

    def optional(self, path: str) -> str:
        """The expression of a parameter leaf, `None` where this use has none."""
        return "None" if self.leaf(path) is None else self.param(path)

    def buffer(self, name: str, start: str) -> str:
        """The expression of a buffer that is no leaf, which is made as `start` says."""
        assert self._kept is not None
        return self._kept(name, start)

    @property
    def training(self) -> str:
        """The expression that says whether the module is training."""
        return self.scope.training

    # helpers

    def let(self, expr: str, name: str | None = None, axes: tuple[AxisItem, ...] | None = None) -> str:
        """Write `name = expr` before the box's own statement and give the name; `axes` are its own, for the comment."""
        var = self.scope.name(name, [])
        self.scope.first_time(var)
        comment = ""
        if axes is not None:
            lead = self._lead if self.any_batched else ()
            batched = any(value.batched is Mode.BATCHED for value in self.inputs)
            comment = shape(Leaf(self.type().kind, (*lead, *axes)), batched)
        self.scope.write(f"{var.name} = {expr}", comment)
        self.temps.append(var)
        return var.name

    def use(self, module: str) -> None:
        """Import a module of the standard library in the generated file, or print a helper (`helpers.py`) in it."""
        self.scope.imports.add(module)

    def tensor(self, value: Value) -> str:
        """A value as a tensor: a Python number becomes one."""
        if not value.scalar:
            return value.text
        stored = storage(value.leaf.kind)
        dtype = {"float": self.scope.dtype(), "int": "torch.int64", "bool": "torch.bool", "complex": "torch.complex64"}
        return f"torch.tensor({value.text}, dtype={dtype[stored]}{self.scope.device()})"

    def spread(self, i: int, ref: Value) -> str:
        """Input i, which has no batch axes, repeated over those of `ref`."""
        return expand_batch(self.x(i), self.inputs[i].rank, ref)

    def batch_ref(self) -> Value | None:
        """An input with as many batch axes as any has, None where no input has any."""
        ref = max(self.inputs, key=lambda value: value.batched, default=None)
        return ref if ref is not None and ref.batched else None

    def spread_all(self, among: tuple[int, ...] | None = None) -> None:
        """From here on inputs without batch axes are read repeated over those of the others, if these have any."""
        ref = self.batch_ref()
        if ref is None:
            return
        for i, value in enumerate(self.inputs):
            if value.batched < ref.batched and (among is None or i in among):
                self.inputs[i] = Value(self.spread(i, ref), value.leaf, ref.batched)


def batch_shape(value: Value) -> str:
    """The batch axes of a batched value, to be spliced into a list of sizes."""
    return f"*{value.text}.shape" if not value.rank else f"*{value.text}.shape[:-{value.rank}]"


def expand_batch(text: str, rank: int, ref: Value) -> str:
    """A tensor without batch axes repeated over those of `ref`."""
    if rank:
        return f"{text}.expand({batch_shape(ref)}{', -1' * rank})"
    if not ref.rank and ref.leaf.kind.form is None:
        return f"{text}.expand_as({ref.text})"
    return f"{text}.expand({batch_shape(ref).removeprefix('*')})"


def move(text: str, source: tuple[int, ...], target: tuple[int, ...]) -> str:
    """`movedim` in its shortest form."""
    pairs = [(s, t) for s, t in zip(source, target, strict=True)]
    if len(pairs) == 1:
        s, t = pairs[0]
        if s == t:
            return text
        return f"{text}.transpose({s}, {t})" if abs(s - t) == 1 else f"{text}.movedim({s}, {t})"
    return text if source == target else f"{text}.movedim({source}, {target})"


def product(sizes: tuple[Size, ...]) -> Size:
    """The number of elements of some axes."""
    from catdl.types.sizes import mul

    total: Size = 1
    for size in sizes:
        total = mul(total, size)
    return total
