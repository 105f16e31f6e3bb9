"""What a diagram costs: operations per sample as a polynomial in the free dims, and numbers in its parameters.

Takes a verified Diagram. Guarantees: `flops` is what `torch.utils.flop_counter` reports for the compiled module on one
sample, namely 2 m n k for a product of an m x k and a k x n matrix, also inside convolutions and attention; biases and
pointwise work are not counted. It counts two more, which that tool leaves out: `bilinear` and `dot`, as the
contractions that they are. Matrix decompositions and Fourier transforms count 0, as there, and are named by
`uncounted`. A fold over trees costs by the node: `Expr_1` are those of summand 1 of the functor Expr. Every diagram is
counted once, however often it is called.

    flops(mlp)      8 x 8 -> 64 -> 10:  2 * 64 * 64 + 2 * 64 * 10 = 9472
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias, assert_never, cast

from catdl.diagram.legs import leg
from catdl.diagram.model import (
    Box,
    Call,
    Core,
    Diagram,
    Each,
    Emit,
    Extern,
    Fold,
    Global,
    Local,
    Map,
    Native,
    Parameter,
    Repeat,
    Store,
    TreeFold,
)
from catdl.diagram.params import globals_of, is_learned, parameters, post_order
from catdl.types.sizes import Size, add, mul, sym
from catdl.types.types import Axis, axis_sizes

LINEAR = frozenset({"linear", "linear_onto", "linear_from"})
CONVOLUTIONS = frozenset({"conv1d", "conv2d", "conv3d", "depthwise_conv1d", "depthwise_conv2d"})
TRANSPOSED = frozenset({"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"})

# Defined by a contraction with a sparse or constant matrix that torch never builds, or by a table.
WITHOUT_PRODUCTS = frozenset(
    {
        *("embed", "adaptive_avgpool1d", "adaptive_avgpool2d"),
        *("interpolate1d", "interpolate", "upsample", "grid_sample"),
        *("cross_entropy", "weighted_cross_entropy", "soft_cross_entropy", "nll_loss"),
        *("fft", "ifft", "rfft", "irfft"),
    }
)
HEAVY = frozenset(
    {
        *("solve", "solve_triangular", "inv", "pinv", "det", "logdet", "slogdet", "cholesky", "qr", "svd", "eigh"),
        *("matrix_exp", "fft", "ifft", "rfft", "irfft"),
    }
)

_Key: TypeAlias = tuple[object, ...]
_Memo: TypeAlias = dict[_Key, Size]


def flops(diagram: Diagram) -> Size:
    """The operations of matrix products for one sample. Raises SizeTooLarge beyond what a size can hold."""
    return _flops(diagram, {})


def count_parameters(diagram: Diagram) -> int:
    """How many numbers are learned; what is tied counts once, running statistics do not count."""
    return sum(numbers(leaf) for leaf in (*globals_of(diagram), *parameters(diagram)) if is_learned(leaf))


def numbers(parameter: Parameter) -> int:
    """How many numbers a leaf holds."""
    total = 1
    for size in axis_sizes(parameter.type):
        assert isinstance(size, int), "parameters have fixed sizes"
        total *= size
    return total


def uncounted(diagram: Diagram) -> tuple[str, ...]:
    """Entries reached that cost more than a pointwise function and are not counted, in order of name."""
    boxes = (box.op for inner in post_order(diagram) for box in inner.boxes)
    return tuple(sorted({op.entry for op in boxes if isinstance(op, Native) and op.entry in HEAVY}))


def foreign(diagram: Diagram) -> tuple[str, ...]:
    """The modules of others that are reached, whose parameters and cost are not known, in order of name."""
    boxes = (box.op for inner in post_order(diagram) for box in inner.boxes)
    return tuple(sorted({op.target for op in boxes if isinstance(op, Extern)}))


def _flops(diagram: Diagram, memo: _Memo) -> Size:
    """The cost of a diagram; goes into itself for definitions of the prelude only, whose depth is fixed."""
    costs: dict[int, Size] = {}
    total: Size = 0
    for inner in post_order(diagram):
        total = 0
        for box in inner.boxes:
            cost = _box(inner, box, costs, memo)
            if cost != 0:
                total = add(total, cost)
        costs[id(inner)] = total
    return total


def _box(diagram: Diagram, box: Box, costs: dict[int, Size], memo: _Memo) -> Size:
    match box.op:
        case Core(name="contract"):
            return _contract(diagram, box, box.op)
        case Core() | Extern() | Global() | Local() | Store() | Emit():
            return 0
        case Native():
            return _native(diagram, box, box.op, memo)
        case Call(callee=callee):
            return costs[id(callee)]
        case Repeat(count=count, body=body):
            return mul(count, costs[id(body)])
        case Map(axes=axes, body=body):
            return mul(_product([axis.size for axis in axes]), costs[id(body)])
        case Each(axis=axis, body=body):
            return mul(axis.size, costs[id(body)])
        case Fold(axis=axis, body=body):
            return mul(axis.size, costs[id(body)])
        case TreeFold(form=form):
            total: Size = 0
            for summand in range(len(form.summands)):
                total = add(total, mul(sym(f"{form.name}_{summand}"), _flops(leg(box.op, summand), memo)))
            return total
        case _:
            assert_never(box.op)


def _native(diagram: Diagram, box: Box, op: Native, memo: _Memo) -> Size:
    if op.entry in WITHOUT_PRODUCTS:
        return 0
    if op.entry in LINEAR:
        return _times(2, _leaf_size(diagram, box.outputs[0]), _bound(op, "I"))
    if op.entry in CONVOLUTIONS or op.entry in TRANSPOSED:
        # Every weight of one output channel meets every output; transposed, every one of an input channel every input.
        wire = box.inputs[0] if op.entry in TRANSPOSED else box.outputs[0]
        weight = next(p.type for p in op.params if p.path == "weight")
        return _times(2, _leaf_size(diagram, wire), _product(axis_sizes(weight)[1:]))
    if op.entry in ("attend", "grouped_attend"):
        queries = _leaf_size(diagram, box.inputs[0])
        values = _leaf_size(diagram, box.outputs[0])
        return _times(2, _bound(op, "U"), add(queries, values))
    if op.definition is None:
        return 0
    key = (op.entry, op.args, op.binds, tuple([diagram.wires[wire].type for wire in box.inputs]))
    found = memo.get(key)
    if found is None:
        found = memo[key] = _flops(op.definition.diagram(), memo)
    return found


def _contract(diagram: Diagram, box: Box, op: Core) -> Size:
    """A contraction of several tensors from left to right, as torch does it: what only one side has is summed first,
    and where nothing is summed over both sides, the product is pointwise."""
    ins = cast("tuple[tuple[int, ...], ...]", op["ins"])
    out = cast("tuple[int, ...]", op["out"])
    sizes: dict[int, Size] = {}
    for wire, letters in zip(box.inputs, ins, strict=True):
        sizes.update(zip(letters, axis_sizes(diagram.wires[wire].type), strict=True))
    last = {letter: i for i, letters in enumerate(ins) for letter in letters} | {letter: len(ins) for letter in out}
    total: Size = 0
    left = dict.fromkeys(ins[0])
    for i, letters in enumerate(ins[1:], 1):
        right = dict.fromkeys(letters)
        both = {a: None for a in (*left, *right) if last[a] > i or (a in left and a in right)}
        left = {a: None for a in both if last[a] > i}
        if len(left) < len(both):
            total = add(total, _times(2, *[sizes[a] for a in both]))
    return total


def _bound(op: Native, name: str) -> Size:
    """The number of elements along what a binder became."""
    bound = op.bind(name)
    return bound.size if isinstance(bound, Axis) else _product([axis.size for axis in bound])


def _leaf_size(diagram: Diagram, wire: int) -> Size:
    return _product(axis_sizes(diagram.wires[wire].type))


def _times(*sizes: Size) -> Size:
    return _product(sizes)


def _product(sizes: Iterable[Size]) -> Size:
    total: Size = 1
    for size in sizes:
        total = mul(total, size)
    return total
