"""Which weights of a unit are made of parameters alone: in a method of their own, so that what it makes can be kept.

Takes a flattened unit. Finds what is plugged into its layers and computed, without chance, from its leaves and from
declared parameters, and the steps that compute it; a plain tie and a transpose are no computation. Nor is the stack
that a power of records becomes where a wire takes an element of it: to put leaves side by side costs less than to ask
each whether it has changed, unless they are large, and then a copy of all would be kept. A family has no such stack.

    remake(flat, root=True)      Remake(steps {0, 1}, inputs (), outputs (3,), leaves ("weight",))
"""

from __future__ import annotations

from dataclasses import dataclass

from catdl.diagram.model import Core, Diagram, Extern, Local, Native
from catdl.diagram.params import post_order
from catdl.torch.natives import find
from catdl.torch.steps import Climb, Flat, Invoke, Loop, Open, Remake, Shut, Step, StepOp, Top
from catdl.types.types import axis_sizes

_FREE = frozenset({"literal", "permute", "split_axis", "merge_axes", "expand", "drop", "slice", "stop"})
_UNSTEADY = frozenset({"sample", "training", "across"})


def remake(flat: Flat, root: bool) -> Remake | None:
    """What is made of parameters alone and plugged, or by a plug in the place of a leaf; None where nothing is."""
    given = {*flat.plugged.values(), *flat.globals.values()}
    maker = _makers(flat, given)
    plugged = [w for step in flat.steps for _, w in step.plugs]
    made = [w for w, wire in enumerate(flat.wires) if wire.made]
    targets = dict.fromkeys(w for w in (*plugged, *made) if w in maker.costly)
    if not targets:
        return None
    cone = _above(flat, maker, targets)
    read, shared = _outside(flat, maker, cone)
    wires = {w for k in cone for w in flat.steps[k].outputs}
    outputs = tuple(sorted(w for w in wires if w in read and w in maker.costly))
    inputs = dict.fromkeys(
        w
        for k in sorted(cone)
        for w in _reads(flat.steps[k])
        if w in given and not (root and w in flat.globals.values())
    )
    paths = {w: _path(step.op, step.site) for step in flat.steps if isinstance(step.op, Local) for w in step.outputs}
    if root:
        paths |= {wire: path for path, wire in flat.globals.items()}
    above = [_sources(flat, maker, (w,)) for w in outputs]
    leaves = tuple(
        ""
        if inputs
        else _leaf(flat, w, {s: paths[s] for s in found if s in paths and s not in read and _once(s, above)})
        for w, found in zip(outputs, above, strict=True)
    )
    steps = [flat.steps[k] for k in sorted(cone)]
    sources = dict.fromkeys(paths[w] for step in steps for w in (*_reads(step), *step.outputs) if w in paths)
    if not sources and not inputs and any(not isinstance(step.op, Invoke) and not _reads(step) for step in steps):
        return None  # nothing tells on which device to make constants
    sources |= dict.fromkeys(step.site for step in steps if step.site and not isinstance(step.op, Local))
    for step in flat.steps:
        for path, w in step.plugs:
            if w in outputs:
                flat.wires[w].name = flat.wires[w].name or path.rpartition(".")[2]
    return Remake(frozenset(cone), frozenset(shared), tuple(inputs), outputs, tuple(sources), leaves)


def _path(leaf: Local, site: str | None) -> str:
    return f"{site}.{leaf.parameter.path}" if site else leaf.parameter.path


@dataclass(slots=True)
class _Makers:
    """The step that makes each wire that depends on parameters alone, and the wires that are computed."""

    at: dict[int, int]
    costly: set[int]


def _makers(flat: Flat, given: set[int]) -> _Makers:
    known = set(given)
    found = _Makers({}, set())
    steady: dict[int, bool] = {}
    depth = 0
    for k, step in enumerate(flat.steps):
        depth += isinstance(step.op, Open | Climb) - isinstance(step.op, Shut | Top)
        reads = _reads(step)
        own = isinstance(step.op, Local)
        if depth or not all(w in known for w in reads) or not (own or _steady(step.op, steady)):
            continue
        if not all(isinstance(size, int) for w in step.outputs for size in axis_sizes(flat.wires[w].type)):
            continue
        known.update(step.outputs)
        found.at |= dict.fromkeys(step.outputs, k)
        if any(w in found.costly for w in reads) or not (own or (isinstance(step.op, Core) and step.op.name in _FREE)):
            found.costly.update(step.outputs)
    return found


def _outside(flat: Flat, maker: _Makers, cone: set[int]) -> tuple[set[int], set[int]]:
    """The wires read outside of some steps, and those of these steps that are needed there and cost nothing."""
    read = set(flat.outputs)
    shared: set[int] = set()
    for k in range(len(flat.steps) - 1, -1, -1):
        step = flat.steps[k]
        if k in cone and not any(w in read and w not in maker.costly for w in step.outputs):
            continue
        read.update(_reads(step))
        if k in cone:
            shared.add(k)
    return read, shared


def _reads(step: Step) -> tuple[int, ...]:
    return (*step.inputs, *(w for _, w in step.plugs))


def _above(flat: Flat, maker: _Makers, wires: dict[int, None]) -> set[int]:
    """The steps that wires are made by."""
    found: set[int] = set()
    stack = list(wires)
    while stack:
        k = maker.at.get(stack.pop())
        if k is not None and k not in found:
            found.add(k)
            stack += _reads(flat.steps[k])
    return found


def _sources(flat: Flat, maker: _Makers, wires: tuple[int, ...]) -> set[int]:
    """The wires that wires are made of, themselves included."""
    found: set[int] = set()
    stack = list(wires)
    while stack:
        wire = stack.pop()
        if wire not in found:
            found.add(wire)
            k = maker.at.get(wire)
            stack += () if k is None else _reads(flat.steps[k])
    return found


def _once(wire: int, among: list[set[int]]) -> bool:
    return sum(wire in wires for wires in among) == 1


def _leaf(flat: Flat, wire: int, paths: dict[int, str]) -> str:
    """The leaf whose place a weight can take: one of its type, best of its name."""
    info = flat.wires[wire]
    fitting = [
        path
        for source, path in sorted(paths.items())
        if axis_sizes(flat.wires[source].type) == axis_sizes(info.type) and source != wire
    ]
    return next((path for path in fitting if path.rpartition(".")[2] == info.name), fitting[0] if fitting else "")


def _steady(op: StepOp, memo: dict[int, bool]) -> bool:
    """Whether a step gives the same for the same parameters, in training and in evaluation."""
    match op:
        case Core(name):
            return name not in _UNSTEADY
        case Native():
            return _native(op, memo)
        case Invoke(callee):
            return _diagram(callee, memo)
        case Loop():
            return _diagram(op.body, memo)
        case _:
            return False


def _native(native: Native, memo: dict[int, bool]) -> bool:
    lowering = find(native.entry)
    if lowering is not None and (lowering.state or lowering.trains(native)):
        return False
    return native.definition is None or _diagram(native.definition.diagram(), memo)


def _diagram(root: Diagram, memo: dict[int, bool]) -> bool:
    """The same for all that a diagram holds; definitions of natives are entered, whose depth is fixed."""
    found = memo.get(id(root))
    if found is None:
        found = memo[id(root)] = all(
            not (isinstance(box.op, Extern) or (isinstance(box.op, Core) and box.op.name in _UNSTEADY))
            and not (isinstance(box.op, Native) and not _native(box.op, memo))
            for diagram in post_order(root)
            for box in diagram.boxes
        )
    return found
