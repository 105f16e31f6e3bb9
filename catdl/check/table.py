"""The rules of core operations by name: how each types its wires and which box it emits.

TABLE["rearrange"](Rule(…))
"""

from __future__ import annotations

from collections.abc import Callable

from catdl.check.builder import Bundle
from catdl.check.higher import HIGHER
from catdl.check.rules import equivariant, index, rearrange, reduce, shape
from catdl.check.rules.common import Rule

POINTWISE = index.BINARY | index.UNARY | {"where"}
CONSTANTS = frozenset({"index", "zeros", "ones", "full"})

TABLE: dict[str, Callable[[Rule], Bundle]] = {
    **dict.fromkeys(POINTWISE, index.pointwise_rule),
    **dict.fromkeys(("sum", "prod", "max", "min", "mean", "any", "all", "logsumexp"), reduce.reduction),
    **dict.fromkeys(("argmax", "argmin"), reduce.argmax),
    **dict.fromkeys(("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"), reduce.scan),
    **dict.fromkeys((f"scatter_{fn}" for fn in ("sum", "prod", "max", "min", "mean")), index.scatter),
    **dict.fromkeys(("zeros", "ones", "full", "zeros_like", "ones_like", "full_like"), index.constant),
    **dict.fromkeys((f"{d}_like" for d in ("normal", "uniform", "bernoulli", "exponential", "gumbel")), index.sample),
    **dict.fromkeys(("across_mean", "across_var", "across_sum"), reduce.across),
    **HIGHER,
    "as": index.read_as,
    "cast": index.cast,
    "concat": shape.concat,
    "contract": reduce.contract,
    "einsum": reduce.einsum,
    **dict.fromkeys(("couple", "equibilinear"), equivariant.product),
    "equilinear": equivariant.equilinear,
    "expand": shape.expand,
    "fin": index.fin,
    "flatten": shape.flatten,
    "gather": index.gather,
    "if_training": index.training,
    "index": index.index,
    "over": index.over,
    "pad": shape.pad,
    "permute": shape.permute,
    "pick": index.pick,
    "rearrange": rearrange.rearrange,
    "reduce": reduce.by_pattern,
    "rename": shape.rename,
    "reverse": shape.reverse,
    "slice": shape.slice_,
    "split": shape.split,
    "squeeze": shape.squeeze,
    "stack": shape.stack,
    "stop_gradient": index.stop,
    "straight_through": index.straight,
    "unflatten": shape.unflatten,
    "window": shape.window,
}

# Operations that take wires and axes only: a static argument is a mistake.
NO_ARGS = frozenset(
    {
        *("argmax", "argmin", "concat", "contract", "expand", "flatten", "gather", "if_training", "permute", "pick"),
        *("as", "rename", "reverse", "squeeze", "stack", "stop_gradient", "straight_through", "fin"),
        *("across_mean", "across_var", "across_sum"),
        *(f"scatter_{fn}" for fn in ("sum", "prod", "max", "min", "mean")),
    }
)

# Operations whose pattern or static arguments are read before their input: these can be wrong by themselves.
READ = frozenset(
    {
        *("einsum", "rearrange", "reduce", "slice", "pad", "split"),
        *(name for name, rule in TABLE.items() if rule in (reduce.reduction, reduce.scan, index.sample)),
    }
)

# Operations that do not look at what their wires are: trees may pass.
STRUCTURAL = frozenset(HIGHER) - {"total"}

# Operations whose arguments are steps along an axis: an `over` around is of what they give, not of a step.
STEPS = frozenset({"annotate", "each", "fold", "map", "mealy", "moore", "moore0", "scan", "scan0", "unfold"})

WIDTHS: dict[str, int | None] = {
    **dict.fromkeys(TABLE, 1),
    **dict.fromkeys(index.BINARY, 2),
    **dict.fromkeys(("gather", "pick", "if_training", "straight_through", "swap"), 2),
    **dict.fromkeys((f"scatter_{fn}" for fn in ("sum", "prod", "max", "min", "mean")), 2),
    **dict.fromkeys(("zeros", "ones", "full", "index"), 0),
    "where": 3,
    **dict.fromkeys((*HIGHER, "concat", "stack", "contract", "einsum", "equilinear"), None),
    **dict.fromkeys(("couple", "equibilinear", "swap"), 2),
}
