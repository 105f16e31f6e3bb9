"""Core operations (`docs/core.md`) as torch expressions that hold for any number of leading batch axes.

`lower` takes a box's context and gives an expression, or a `Value` where no statement is needed (a literal, a folded
number). Axis positions become negative, which is what keeps them true under batch axes.

    lower(c, Core("permute", (("perm", (1, 0)),)))     "x.transpose(-2, -1)"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from catdl.diagram.model import Core
from catdl.torch.context import Context
from catdl.torch.contract import contract
from catdl.torch.gather import gather, pick, scatter
from catdl.torch.pointwise import literal, pointwise
from catdl.torch.scope import Value, sizes_of
from catdl.types.sizes import add, mul, sub

Lowered: TypeAlias = "str | Value"


def lower(c: Context, core: Core) -> Lowered:
    """The expression of one core box."""
    return _TABLE[core.name](c, core)


def attr(core: Core, name: str) -> Any:
    """An attribute whose type is fixed by `docs/core.md`."""
    return core[name]


def optional(core: Core, name: str, default: Any) -> Any:
    """An attribute that may be left out."""
    return next((value for key, value in core.attrs if key == name), default)


def _neg(axis: int, rank: int) -> int:
    return axis - rank


def _pointwise(c: Context, core: Core) -> Lowered:
    return pointwise(c, attr(core, "fn"), attr(core, "align"))


def _literal(c: Context, core: Core) -> Lowered:
    return literal(c, attr(core, "value"))


def _contract(c: Context, core: Core) -> Lowered:
    return contract(c, attr(core, "ins"), attr(core, "out"))


def _reduce(c: Context, core: Core) -> Lowered:
    fn, rank = attr(core, "fn"), c.rank()
    dims = tuple(sorted(_neg(axis, rank) for axis in attr(core, "axes")))
    if not dims:
        return c.inputs[0]
    if fn == "prod":
        text = c.x()
        for dim in dims:  # ascending: what is left keeps its distance from the end when the first goes
            text = f"{text}.prod({dim})"
        return text
    shown = str(dims[0]) if len(dims) == 1 else str(dims)
    return f"{c.x()}.{'a' + fn if fn in ('max', 'min') else fn}({shown})"


def _argmax(c: Context, core: Core) -> Lowered:
    return f"{c.x()}.{attr(core, 'fn')}({_neg(attr(core, 'axis'), c.rank())})"


def _permute(c: Context, core: Core) -> Lowered:
    perm: tuple[int, ...] = attr(core, "perm")
    rank = len(perm)
    moved = [k for k in range(rank) if perm[k] != k]
    if not moved:
        return c.inputs[0]
    if not c.batched():
        return f"{c.x()}.T" if perm == (1, 0) else f"{c.x()}.permute({', '.join(map(str, perm))})"
    if len(moved) == 2:
        return f"{c.x()}.transpose({moved[0] - rank}, {moved[1] - rank})"
    single = _single_move(perm)
    if single is not None:
        return f"{c.x()}.movedim({single[0] - rank}, {single[1] - rank})"
    source = tuple(perm[k] - rank for k in moved)
    return f"{c.x()}.movedim({source}, {tuple(k - rank for k in moved)})"


def _single_move(perm: tuple[int, ...]) -> tuple[int, int] | None:
    """(from, to) where the permutation takes one axis elsewhere and keeps the order of the others."""
    lo = next(k for k, p in enumerate(perm) if p != k)
    hi = next(k for k in range(len(perm) - 1, -1, -1) if perm[k] != k)
    if perm[lo : hi + 1] == (*range(lo + 1, hi + 1), lo):
        return lo, hi
    if perm[lo : hi + 1] == (hi, *range(lo, hi)):
        return hi, lo
    return None


def _split(c: Context, core: Core) -> Lowered:
    sizes = attr(core, "sizes")
    texts = ", ".join(c.scope.size(size) for size in sizes)
    shape = f"({texts},)" if len(sizes) == 1 else f"({texts})"
    return f"{c.x()}.unflatten({_neg(attr(core, 'axis'), c.rank())}, {shape})"


def _merge(c: Context, core: Core) -> Lowered:
    axis, count, rank = attr(core, "axis"), attr(core, "count"), c.rank()
    if count == 1:
        return c.inputs[0]
    if count == 0:
        return f"{c.x()}.unsqueeze({_neg(axis, rank + 1)})"
    first, last = _neg(axis, rank), _neg(axis + count - 1, rank)
    return f"{c.x()}.flatten({first})" if last == -1 else f"{c.x()}.flatten({first}, {last})"


def _expand(c: Context, core: Core) -> Lowered:
    position, size, value = attr(core, "position"), attr(core, "size"), c.inputs[0]
    text = c.scope.size(size)
    if value.scalar:
        return _full(c, value, text)
    after = value.rank - position
    unsqueezed = f"{c.x()}.unsqueeze({-after - 1})"
    if size == 1:
        return unsqueezed
    keep = ", -1" * after
    if not value.batched:
        return f"{unsqueezed}.expand({'-1, ' * position}{text}{keep})"
    lead = f"*{c.x()}.shape" if not after else f"*{c.x()}.shape[:-{after}]"
    return f"{unsqueezed}.expand({lead}, {text}{keep})"


def _full(c: Context, value: Value, size: str) -> str:
    dtype = c.tensor(value).partition("dtype=")[2]
    if value.number == 0 and not isinstance(value.number, bool):
        return f"torch.zeros({size}, dtype={dtype}"
    if value.number == 1 and not isinstance(value.number, bool):
        return f"torch.ones({size}, dtype={dtype}"
    return f"torch.full(({size},), {value.text}, dtype={dtype}"


def _drop(c: Context, core: Core) -> Lowered:
    return f"{c.x()}.squeeze({_neg(attr(core, 'axis'), c.rank())})"


def _index_text(axis: int, rank: int, item: str) -> str:
    """`[..., item, :, :]` with one colon for every axis after."""
    return f"[..., {item}{', :' * (rank - axis - 1)}]"


def _slice(c: Context, core: Core) -> Lowered:
    axis, start, step, size = (attr(core, name) for name in ("axis", "start", "step", "size"))
    rank, whole = c.rank(), sizes_of(c.type())[axis]
    last = add(start, mul(sub(size, 1), step))  # the index of the last element taken
    low, high = (start, add(last, 1)) if step > 0 else (last, add(start, 1))
    if size == 0:
        low = high = 0
    begin = "" if low == 0 else c.scope.size(low)
    end = "" if high == whole else c.scope.size(high)
    stride = "" if abs(step) == 1 else f":{abs(step)}"
    text = c.x()
    if begin or end or stride:
        item = f"{begin}:{end}{stride}"
        text += f"[{item}]" if axis == 0 and not c.batched() else _index_text(axis, rank, item)
    if step < 0:
        text += f".flip({_neg(axis, rank)})"
    return c.inputs[0] if text == c.x() else text


def _pad(c: Context, core: Core) -> Lowered:
    axis, before, after, mode = (attr(core, name) for name in ("axis", "before", "after", "mode"))
    rank = c.rank()
    front, back = c.scope.size(before), c.scope.size(after)
    if mode == "constant":
        zeros = "0, 0, " * (rank - axis - 1)
        value = optional(core, "value", 0)
        shown = "" if value in (None, 0) else f", value={c.expr(value)}"
        return f"F.pad({c.x()}, ({zeros}{front}, {back}){shown})"
    size = sizes_of(c.type())[axis]
    n, last = c.scope.size(size), c.scope.size(sub(size, 1))
    start = str(-before) if isinstance(before, int) else f"-({front})"
    places = f"torch.arange({start}, {c.scope.size(add(size, after))}, device={c.x()}.device)"
    if mode == "replicate":
        places = f"{places}.clamp(0, {last})"
    elif mode == "circular":
        places = f"{places} % {_operand(n)}"
    else:
        last = _operand(last)
        places = f"{last} - ({last} - {places}.abs()).abs()"
    return f"{c.x()}.index_select({_neg(axis, rank)}, {places})"


def _operand(text: str) -> str:
    return text if text.isalnum() else f"({text})"


def _window(c: Context, core: Core) -> Lowered:
    axis, size, stride, dilation, count = (attr(core, name) for name in ("axis", "size", "stride", "dilation", "count"))
    rank = c.rank()
    reach = add(mul(sub(size, 1), dilation), 1)
    used = add(mul(sub(count, 1), stride), reach)  # elements that the windows touch
    text, whole = c.x(), sizes_of(c.type())[axis]
    if used != whole:
        text += _index_text(axis, rank, f":{c.scope.size(used)}")
    text += f".unfold({_neg(axis, rank)}, {c.scope.size(reach)}, {c.scope.size(stride)})"
    if dilation != 1:
        text += f"[..., ::{c.scope.size(dilation)}]"
    return text if axis == rank - 1 else f"{text}.movedim(-1, {_neg(axis, rank)})"


def _concat(c: Context, core: Core) -> Lowered:
    c.spread_all()
    return f"torch.cat(({c.xs()}{',' if len(c.inputs) == 1 else ''}), dim={_neg(attr(core, 'axis'), c.rank())})"


def _stack(c: Context, core: Core) -> Lowered:
    """What `stacks.py` makes of a concat; a leaf of every round of a record is told once for all."""
    c.spread_all()
    texts = [c.x(i) for i in range(len(c.inputs))]
    head, _, rest = texts[0].partition("[0]")
    counted = [f"{head}[{k}]{rest}" for k in range(len(texts))]
    if head.startswith("self.") and len(texts) > 2 and texts == counted:
        parts = f"[{head}[k]{rest} for k in range({len(texts)})]"
    else:
        parts = f"({', '.join(texts)})"
    return f"torch.stack({parts}, dim={_neg(attr(core, 'axis'), c.rank() + 1)})"


def _gather(c: Context, core: Core) -> Lowered:
    return gather(c, attr(core, "axis"))


def _pick(c: Context, core: Core) -> Lowered:
    return pick(c, attr(core, "axis"))


def _scatter(c: Context, core: Core) -> Lowered:
    return scatter(c, attr(core, "axis"), attr(core, "size"), attr(core, "fn"))


def _index(c: Context, core: Core) -> Lowered:
    return f"torch.arange({c.scope.size(attr(core, 'size'))}{c.scope.device()})"


def _scan(c: Context, core: Core) -> Lowered:
    fn, dim = attr(core, "fn"), _neg(attr(core, "axis"), c.rank())
    last = ".values" if fn in ("cummax", "cummin") else ""
    if optional(core, "reverse", False):
        return f"{c.x()}.flip({dim}).{fn}({dim}){last}.flip({dim})"
    return f"{c.x()}.{fn}({dim}){last}"


def _sample(c: Context, core: Core) -> Lowered:
    return {
        "normal": f"torch.randn_like({c.x()})",
        "uniform": f"torch.rand_like({c.x()})",
        "exponential": f"torch.empty_like({c.x()}).exponential_()",
        "gumbel": f"-torch.empty_like({c.x()}).exponential_().log()",
    }[attr(core, "dist")]


def _training(c: Context, core: Core) -> Lowered:
    c.spread_all()
    return f"{c.x(0)} if {c.training} else {c.x(1)}"


def _across(c: Context, core: Core) -> Lowered:
    fn, keep, rank = attr(core, "fn"), attr(core, "keep"), c.rank()
    lead = 1 if c.batched() else 0
    dims = (*range(lead), *(axis + lead for axis in range(rank) if axis not in keep))
    if not dims:
        return c.inputs[0] if fn != "var" else f"torch.zeros_like({c.x()})"
    shown = str(dims[0]) if len(dims) == 1 else str(dims)
    return f"{c.x()}.var({shown}, correction=0)" if fn == "var" else f"{c.x()}.{fn}({shown})"


def _stop(c: Context, core: Core) -> Lowered:
    return c.inputs[0] if c.inputs[0].scalar else f"{c.x()}.detach()"


def _straight(c: Context, core: Core) -> Lowered:
    return f"{c.x(1)}.detach() + ({c.x(0)} - {c.x(0)}.detach())"


_TABLE: dict[str, Callable[[Context, Core], Lowered]] = {
    "literal": _literal,
    "pointwise": _pointwise,
    "contract": _contract,
    "reduce": _reduce,
    "argmax": _argmax,
    "permute": _permute,
    "split_axis": _split,
    "merge_axes": _merge,
    "expand": _expand,
    "drop": _drop,
    "slice": _slice,
    "pad": _pad,
    "window": _window,
    "concat": _concat,
    "stack": _stack,
    "gather": _gather,
    "pick": _pick,
    "scatter": _scatter,
    "index": _index,
    "scan": _scan,
    "sample": _sample,
    "training": _training,
    "across": _across,
    "stop": _stop,
    "straight": _straight,
}
