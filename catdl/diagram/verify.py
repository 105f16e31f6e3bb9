"""The verifier: a Diagram that breaks a guarantee of `model.py` is an internal error, found where it arises.

Run between passes in tests. Checks every diagram reached, each once, without recursion.

    verify(diagram)      raises BrokenDiagram("block: wire 3 is read before it is made")
"""

from __future__ import annotations

from collections.abc import Iterable

from catdl.diagram.legs import carriers, widths
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
from catdl.diagram.params import bodies, is_learned, owns, parameters, post_order
from catdl.types.ragged import row
from catdl.types.sizes import Poly, Size, free_vars
from catdl.types.types import Axis, AxisItem, Child, Leaf, RowVar

# How many inputs each core operation has; None for any number.
CORE: dict[str, int | None] = {
    "literal": 0,
    "pointwise": None,
    "contract": None,
    "reduce": 1,
    "argmax": 1,
    "permute": 1,
    "split_axis": 1,
    "merge_axes": 1,
    "expand": 1,
    "drop": 1,
    "slice": 1,
    "pad": 1,
    "window": 1,
    "concat": None,
    "gather": 2,
    "pick": 2,
    "scatter": 2,
    "index": 0,
    "scan": 1,
    "sample": 1,
    "training": 2,
    "across": 1,
    "stop": 1,
    "straight": 2,
}


class BrokenDiagram(AssertionError):
    """A guarantee of the Diagram does not hold."""


def verify(diagram: Diagram) -> None:
    """Check the diagram and all it calls. Raises BrokenDiagram."""
    for inner in post_order(diagram):
        _verify(inner)


def _fail(diagram: Diagram, what: str) -> BrokenDiagram:
    return BrokenDiagram(f"{diagram.name}: {what}")


def _verify(diagram: Diagram) -> None:
    made: set[int] = set()
    for wire in diagram.inputs:
        if wire in made:
            raise _fail(diagram, f"wire {wire} is two inputs")
        made.add(wire)
    for index, box in enumerate(diagram.boxes):
        for wire in (*box.inputs, *(wire for _, wire in box.plugs)):
            if wire not in made:
                raise _fail(diagram, f"box {index} reads wire {wire} before it is made")
        for wire in box.outputs:
            if wire in made:
                raise _fail(diagram, f"wire {wire} has two sources")
            made.add(wire)
        _box(diagram, index, box)
    for wire in diagram.outputs:
        if wire not in made:
            raise _fail(diagram, f"the output wire {wire} is never made")
    if len(made) != len(diagram.wires) or any(not 0 <= wire < len(diagram.wires) for wire in made):
        raise _fail(diagram, "a wire has no source")
    for wire, info in enumerate(diagram.wires):
        if not _closed(info.type):
            raise _fail(diagram, f"the type of wire {wire} has unknowns: {info.type}")
    _parameters(diagram)


def _closed(leaf: Leaf) -> bool:
    if any(isinstance(axis, RowVar) for axis in leaf.axes):
        return False
    sizes: list[Size] = [axis.size for axis in leaf.axes if isinstance(axis, Axis)]
    if leaf.kind.size is not None:
        sizes.append(leaf.kind.size)
    return all(isinstance(size, int) or not free_vars(size) for size in sizes)


def _box(diagram: Diagram, index: int, box: Box) -> None:
    where = f"box {index}"
    op = box.op
    match op:
        case Core(name):
            if name not in CORE:
                raise _fail(diagram, f"{where} is no core operation: `{name}`")
            wanted = CORE[name]
            if (wanted is not None and len(box.inputs) != wanted) or len(box.outputs) != 1:
                raise _fail(diagram, f"{where} (`{name}`) has {len(box.inputs)} inputs and {len(box.outputs)} outputs")
            _core(diagram, where, op, box)
        case Native():
            _ports(diagram, where, len(op.at_in or box.inputs), len(box.inputs), "inputs")
            _ports(diagram, where, len(op.at_out or box.outputs), len(box.outputs), "outputs")
            _site(diagram, where, box, any(map(is_learned, _unplugged(op.params, box))))
        case Call(callee, inline):
            _ports(diagram, where, len(callee.inputs), len(box.inputs), "inputs")
            _ports(diagram, where, len(callee.outputs), len(box.outputs), "outputs")
            if inline and box.site is not None:
                raise _fail(diagram, f"{where} is an inline call with a site")
            if not inline:
                _site(diagram, where, box, _leaves_left(callee, box))
        case Repeat() | Map() | Each():
            body = op.body
            _ports(diagram, where, len(body.inputs), len(box.inputs), "inputs")
            _ports(diagram, where, len(body.outputs), len(box.outputs), "outputs")
            if isinstance(op, Repeat):
                _ports(diagram, where, len(body.outputs) + op.captured, len(body.inputs), "carried and captured wires")
            if isinstance(op, Repeat) and op.tie == "fresh":
                _site(diagram, where, box, owns(body))
        case Fold(body=body, carried=carried, captured=captured):
            _ports(diagram, where, len(body.inputs), len(box.inputs), "inputs")
            _ports(diagram, where, len(body.outputs), len(box.outputs), "outputs")
            if carried > len(body.outputs) or carried + captured > len(body.inputs):
                raise _fail(diagram, f"{where} carries more than its body has")
            _fold(diagram, where, op, box)
        case TreeFold():
            _tree_fold(diagram, where, op, box)
        case Global(parameter) | Local(parameter):
            if box.inputs or (len(box.outputs) != 1 and not (parameter.state and not box.outputs)):
                raise _fail(diagram, f"{where} is a parameter with inputs")
            constant = all(diagram.wires[wire].constant for wire in box.outputs)
            if constant == (parameter.state == "sample") and box.outputs:
                raise _fail(diagram, f"{where} is a parameter that is not constant, or a state of another mode")
        case Store(path):
            _ports(diagram, where, 1, len(box.inputs), "inputs")
            _ports(diagram, where, 0, len(box.outputs), "outputs")
            _store(diagram, where, path, box.inputs[0])
        case Emit():
            _ports(diagram, where, 1, len(box.inputs), "inputs")
            _ports(diagram, where, 0, len(box.outputs), "outputs")
        case Extern():
            pass
    for path, wire in box.plugs:
        if not diagram.wires[wire].constant:
            raise _fail(diagram, f"{where} has a wire per sample plugged into `{path}`")


def _core(diagram: Diagram, where: str, op: Core, box: Box) -> None:
    """Positions lie within the types."""
    ranks = [len(diagram.wires[wire].type.axes) for wire in box.inputs]
    out = len(diagram.wires[box.outputs[0]].type.axes)
    constant = all(diagram.wires[wire].constant for wire in box.inputs)
    if diagram.wires[box.outputs[0]].constant and not constant and op.name != "across":
        raise _fail(diagram, f"{where} (`{op.name}`) is constant though an input is not")
    if op.name == "pointwise":
        align = op["align"]
        good = isinstance(align, tuple) and len(align) == len(ranks)
        for rank, at in zip(ranks, align if isinstance(align, tuple) else (), strict=False):
            good = good and isinstance(at, tuple) and len(at) == rank and len(set(at)) == rank
            good = good and all(isinstance(p, int) and 0 <= p < out for p in (at if isinstance(at, tuple) else ()))
    elif op.name == "contract":
        ins, letters = op["ins"], op["out"]
        good = isinstance(ins, tuple) and isinstance(letters, tuple) and len(letters) == out
        good = good and isinstance(ins, tuple) and [len(term) for term in ins if isinstance(term, tuple)] == ranks
    elif op.name == "permute":
        perm = op["perm"]
        good = isinstance(perm, tuple) and sorted(p for p in perm if isinstance(p, int)) == list(range(ranks[0]))
    else:
        axis = next((value for key, value in op.attrs if key == "axis"), 0)
        last = ranks[0] if ranks else 0
        good = isinstance(axis, int) and 0 <= axis <= last
    if not good:
        raise _fail(diagram, f"{where} (`{op.name}`) has attributes that do not fit its types: {op.attrs}")


def _fold(diagram: Diagram, where: str, op: Fold, box: Box) -> None:
    """What goes round comes back with its type; elements and outputs have the axis in front."""
    body, carried = op.body, op.carried
    inner = [body.wires[w] for w in (*body.inputs, *body.outputs)]
    outer = [diagram.wires[w] for w in (*box.inputs, *box.outputs)]
    count = len(body.inputs)
    round_trip = range(count, count + carried)
    plain = {*range(carried), *range(count - op.captured, count), *round_trip}
    for k, (mine, wire) in enumerate(zip(inner, outer, strict=True)):
        axes = mine.type.axes if k in plain else (op.axis, *mine.type.axes)
        if len(axes) != len(wire.type.axes):
            raise _fail(diagram, f"{where} has a wire {wire.type} for {mine.type} in its body")
    for k in range(carried):
        if len(inner[k].type.axes) != len(inner[count + k].type.axes):
            raise _fail(diagram, f"{where} takes {inner[k].type} around and gives back {inner[count + k].type}")
        if inner[k].constant and not inner[count + k].constant:
            raise _fail(diagram, f"{where} takes a constant around and gives back one for each sample")


def _tree_fold(diagram: Diagram, where: str, op: TreeFold, box: Box) -> None:
    """Each leg takes what its summand says and gives the carrier."""
    body, forms = op.body, op.form.summands
    _ports(diagram, where, 1 + op.captured, len(box.inputs), "inputs")
    if len(body.outputs) % len(forms):
        raise _fail(diagram, f"{where} has {len(body.outputs)} outputs in its body for {len(forms)} summands")
    carried = carriers(op)
    _ports(diagram, where, carried, len(box.outputs), "outputs")
    _ports(diagram, where, sum(widths(op.form, carried)) + op.captured, len(body.inputs), "inputs in its body")
    if diagram.wires[box.inputs[0]].type.kind.form != op.form:
        raise _fail(diagram, f"{where} folds {diagram.wires[box.inputs[0]].type} with an algebra of {op.form.name}")
    carrier = [body.wires[w].type for w in body.outputs[:carried]]
    front = () if op.axis is None else (op.axis,)
    for wire, leaf in zip(box.outputs, carrier, strict=True):
        if len(diagram.wires[wire].type.axes) != len(front) + len(leaf.axes):
            raise _fail(diagram, f"{where} gives {diagram.wires[wire].type} of the carrier {leaf}")
    if op.axis is not None and row(op.axis.size) is None:
        raise _fail(diagram, f"{where} has {op.axis} for its nodes, which is no var dim")
    wanted: list[tuple[AxisItem, ...]] = []
    for item in (item for parts in forms for item in parts):
        wanted += [(*item.axes, *c.axes) for c in carrier] if isinstance(item, Child) else [item.axes]
    wanted += [diagram.wires[w].type.axes for w in box.inputs[1:]]
    wanted += [leaf.axes for _ in forms for leaf in carrier]
    for wire, axes in zip((*body.inputs, *body.outputs), wanted, strict=True):
        if len(body.wires[wire].type.axes) != len(axes):
            raise _fail(diagram, f"{where} has a wire {body.wires[wire].type} in its body that does not fit")
    if any(diagram.wires[w].constant for w in (box.inputs[0], *box.outputs)):
        raise _fail(diagram, f"{where} folds trees that are the same for the whole batch")


def _ports(diagram: Diagram, where: str, wanted: int, got: int, what: str) -> None:
    if wanted != got:
        raise _fail(diagram, f"{where} has {got} {what}, its operation {wanted}")


def _unplugged(params: Iterable[Parameter], box: Box) -> list[Parameter]:
    plugged = {path for path, _ in box.plugs}
    return [parameter for parameter in params if parameter.path not in plugged]


def _leaves_left(callee: Diagram, box: Box) -> bool:
    return owns(callee) and (not box.plugs or bool(_unplugged(parameters(callee), box)))


def _store(diagram: Diagram, where: str, path: str, wire: int) -> None:
    """What is stored is of the type and the mode of a state that the diagram has."""
    cells = [b.op.parameter for b in diagram.boxes if isinstance(b.op, Local) and b.op.parameter.path == path]
    if not cells or not cells[0].state:
        raise _fail(diagram, f"{where} writes `{path}`, which is no state")
    info = diagram.wires[wire]
    if len(info.type.axes) != len(cells[0].type.axes) or (cells[0].state == "constant" and not info.constant):
        raise _fail(diagram, f"{where} writes a wire of another type or mode to `{path}`")


def _site(diagram: Diagram, where: str, box: Box, owning: bool) -> None:
    if owning and not box.site:
        raise _fail(diagram, f"{where} owns parameters and has no site")


def _parameters(diagram: Diagram) -> None:
    """Own leaves have fixed shapes; a site stands for one operation, so that sharing it is sharing weights."""
    sites: dict[str, object] = {}
    stack = [iter(diagram.boxes)]
    while stack:
        for box in stack[-1]:
            for parameter in _held(box):
                if not _fixed(parameter):
                    raise _fail(diagram, f"the parameter `{parameter.path}` has a free dim: {parameter.type}")
            body = bodies(box)
            if box.site is not None:
                held: object = type(box.op) if body is None else tuple((p.path, p.type) for p in parameters(body))
                if sites.setdefault(box.site, held) != held:
                    raise _fail(diagram, f"two operations share the site `{box.site}`")
            elif body is not None and owns(body):
                stack.append(iter(body.boxes))
                break
        else:
            stack.pop()


def _held(box: Box) -> tuple[Parameter, ...]:
    match box.op:
        case Native(params=params):
            return params
        case Global(parameter) | Local(parameter):
            return (parameter,)
        case _:
            return ()


def _fixed(parameter: Parameter) -> bool:
    return not any(isinstance(axis, Axis) and isinstance(axis.size, Poly) for axis in parameter.type.axes)
