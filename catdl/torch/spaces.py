"""Into and out of a map: its leading axes become batch axes, captured wires are repeated over them.

enter(scope, Enter((T,), 1, merge=False), [x, mask], …)     [x itself, "mask.unsqueeze(-3)…"]
"""

from __future__ import annotations

from catdl.torch.context import Context, expand_batch
from catdl.torch.scope import Mode, Scope, Value
from catdl.torch.steps import Enter, Leave
from catdl.types.types import Leaf


def enter(scope: Scope, op: Enter, inputs: list[Value], leaves: tuple[Leaf, ...]) -> list[Value | tuple[str, Mode]]:
    """What the body sees: an input under its new type, or an expression."""
    count = len(op.axes)
    mapped = len(inputs) - op.captured
    ref = max((value for value in inputs if value.batched), key=lambda value: value.batched, default=None)
    outer = 1 if ref is not None else 0
    results: list[Value | tuple[str, Mode]] = []
    for k, (value, leaf) in enumerate(zip(inputs, leaves, strict=True)):
        if k >= mapped and not value.batched:
            results.append(value)
            continue
        text = Context(scope, [value], ()).tensor(value)
        changed = False
        if k >= mapped:
            text = _capture(text, len(leaf.axes), _sizes(scope, op))
            changed = True
        elif ref is not None and value.batched < ref.batched and not (op.stacked and not op.merge):
            text = expand_batch(text, value.rank, ref)
            changed = True
        if op.merge and outer + count > 1:
            text = f"{text}.flatten(0, {outer + count - 1})"
            changed = True
        mode = value.batched if k >= mapped else Mode.BATCHED
        if k < mapped and op.stacked and not op.merge and ref is not None and value.batched < ref.batched:
            mode = Mode.STACKED  # the same for the whole batch at every index, as the weights are
        results.append((text, mode) if changed else Value(text, leaf, mode, value.var))
    return results


def _sizes(scope: Scope, op: Enter | Leave) -> list[str]:
    return [scope.size(axis.size) for axis in op.axes]


def _capture(text: str, rank: int, sizes: list[str]) -> str:
    lead = f"*{text}.shape[:-{rank}]" if rank else f"*{text}.shape"
    new = ", None" * len(sizes)
    own = ", :" * rank
    return f"{text}[...{new}{own}].expand({lead}, {', '.join(sizes)}{', -1' * rank})"


def leave(
    scope: Scope, op: Leave, inputs: list[Value], leaves: tuple[Leaf, ...], outer: Mode
) -> list[Value | tuple[str, Mode]]:
    """What the map yields outside of it; `outer`: which batch axes there are outside."""
    results: list[Value | tuple[str, Mode]] = []
    for value, leaf in zip(inputs, leaves, strict=True):
        text = Context(scope, [value], ()).tensor(value)
        if not value.batched:
            sizes = ", ".join(_sizes(scope, op))
            results.append((f"{text}.expand({sizes}{', -1' * value.rank})", Mode.CONSTANT))
        elif value.batched == Mode.STACKED:
            results.append(Value(text, leaf, Mode.STACKED if op.lead else Mode.CONSTANT, value.var))
        elif op.merge and (outer or len(op.axes) > 1):
            lead = "-1, " if outer else ""
            results.append((f"{text}.unflatten(0, ({lead}{', '.join(_sizes(scope, op))}))", outer))
        else:
            results.append(Value(text, leaf, outer, value.var))
    return results
