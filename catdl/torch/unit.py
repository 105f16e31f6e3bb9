"""One class or function of the generated file as text.

Takes a planned unit whose children are written already. One statement per step, a shape comment behind each, names
given back where values die.

    write(plan, unit)      ["class Mlp(nn.Module):", …]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from catdl.diagram.freeze import untrained
from catdl.diagram.model import Core, Extern, Local, Native, Parameter
from catdl.diagram.params import globals_of
from catdl.record import replace
from catdl.torch import calls, core
from catdl.torch.checks import given
from catdl.torch.context import Context
from catdl.torch.ends import commented, enter_unit, leave_unit
from catdl.torch.form import has_module, lent_module
from catdl.torch.levels import Climbing, fields, open_climb, shut_climb
from catdl.torch.names import attribute
from catdl.torch.native import lower_native
from catdl.torch.plan import Plan, Unit, kept_below, leaves_by_path, living
from catdl.torch.rounds import Rounds, open_rounds, shut_rounds
from catdl.torch.rows import segment
from catdl.torch.scope import Mode, Scope, Value, Var, joined, sizes_of
from catdl.torch.shapes import MANY, shape
from catdl.torch.sites import Sites, above
from catdl.torch.spaces import enter, leave
from catdl.torch.steps import (
    Climb,
    Enter,
    Fields,
    Invoke,
    Leave,
    Loop,
    Open,
    Remake,
    Segment,
    Shut,
    Slices,
    Stacked,
    Step,
    Top,
)
from catdl.types.dtypes import storage
from catdl.types.ragged import of_leaves, row
from catdl.types.types import Axis, Leaf


@dataclass(slots=True)
class Writer:
    """A unit while it is written."""

    plan: Plan
    unit: Unit
    scope: Scope
    values: dict[int, Value] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)  # site -> constructor, in order; empty: leaves without module
    held: dict[str, dict[str, Parameter]] = field(default_factory=dict)  # site -> leaves kept without a module
    stacks: dict[tuple[str, str], int] = field(default_factory=dict)  # how many axes of `each` a leaf has
    own: dict[str, Parameter] = field(default_factory=dict)  # leaves that stand in the class itself
    buffers: dict[str, str] = field(default_factory=dict)  # of the class itself, each with what it is made as
    cells: dict[str, Parameter] = field(default_factory=dict)  # states that are kept in buffers of the class itself
    args: list[str] = field(default_factory=list)
    trees: set[str] = field(default_factory=set)  # those that are trees
    uses: list[int] = field(default_factory=list)
    module_sites: set[str] = field(default_factory=set)
    native_sites: set[str] = field(default_factory=set)
    sites: Sites = field(default_factory=lambda: Sites(()))
    used_sites: set[str] = field(default_factory=set)
    handed: dict[str, set[str]] = field(default_factory=dict)  # the leaves that are plugged, by site
    shapes: dict[tuple[int, Mode, tuple[Axis, ...]], str] = field(default_factory=dict)
    lead: tuple[Axis, ...] = ()  # the axes of `each` and `map` that are batch axes here
    maps: dict[int, tuple[Mode, tuple[Axis, ...]]] = field(default_factory=dict)  # the batch axes outside an open map
    rounds: dict[int, Rounds] = field(default_factory=dict)  # the loops that are open
    climbs: dict[int, Climbing] = field(default_factory=dict)  # and those over the levels of trees
    walks: dict[int, str] = field(default_factory=dict)  # what goes along var dims, by the mark of the loop
    wants_batch: bool = False
    origin: Value | None = None  # the first batched input, whose batch axes are those of all
    remade: list[str] = field(default_factory=list)  # the method that makes weights of parameters alone, if any

    def shape(self, leaf: Leaf, mode: Mode, rows: Axis | None = None) -> str:
        """The comment for a tensor; long chains have many wires of one type object."""
        if rows is not None:
            return shape(Leaf(leaf.kind, (rows, *leaf.axes)), False)
        lead = self.lead if mode is not Mode.CONSTANT else ()
        found = self.shapes.get((id(leaf), mode, lead))
        if found is None:
            whole = Leaf(leaf.kind, (*lead, *leaf.axes)) if lead else leaf
            found = self.shapes[id(leaf), mode, lead] = shape(whole, mode is Mode.BATCHED)
        return found

    def walk(self, mark: int, dim: str, reverse: bool) -> str:
        """The variable that walks along a var dim for one loop, which is made where it is first asked for."""
        if mark not in self.walks:
            text = f"{self.scope.segments(dim)}.walk({'reverse=True' if reverse else ''})"
            self.walks[mark] = self.scope.keep(text, "walk")
        return self.walks[mark]

    def segments(self, axis: Axis | None, dim: str = "") -> str:
        """The variable of the segments of a packed axis, or of a var dim."""
        name = row(axis.size) if axis is not None else dim
        assert name
        return self.scope.segments(name)

    def read(self, wire: int) -> Value:
        """The value of a wire."""
        return self.values[wire]

    def submodule(self, site: str, constructor: str) -> str:
        """Put a submodule under a site; gives the expression that reaches it."""
        self.modules.setdefault(site, constructor)
        return self.sites.expression(site)

    def buffer(self, name: str, start: str) -> str:
        """A buffer of the class itself; gives the expression that reaches it."""
        self.buffers.setdefault(name, start)
        return f"self.{name}"

    def lender(self, path: str) -> str | None:
        """The site of the box that a leaf of this unit lives in, if it does not stand in the class itself."""
        declared = path in self.unit.flat.globals
        if path not in self.unit.flat.read and not declared:
            return None
        for site in above(path):
            if site in self.used_sites and (declared or path.removeprefix(f"{site}.") in self.handed[site]):
                return site
        return None

    def leaf(self, site: str, parameter: Parameter, stacked: int = 0) -> str:
        """A leaf that no module of torch holds; gives the expression that reaches it."""
        if not site:
            lent = self.lender(parameter.path)
            if lent is not None:  # a parameter of what is called, made into something once and handed back to it
                below = parameter.path.removeprefix(f"{lent}.")
                if lent in self.native_sites:
                    return self.leaf(lent, replace(parameter, path=below), stacked)
                rest = "".join(f"[{name}]" if name.isdecimal() else f".{name}" for name in below.split("."))
                return f"{self.sites.expression(lent)}{rest}"
            head, dot, last = parameter.path.rpartition(".")
            if dot:
                return self.leaf(head, replace(parameter, path=last), stacked)
            self.own[parameter.path] = parameter
            self.stacks["", parameter.path] = stacked
            return attribute(parameter.path, "_parameters")
        if site in self.module_sites:
            return f"{self.sites.expression(site)}.{parameter.path}"
        self.modules.setdefault(site, "")
        self.held.setdefault(site, {})[parameter.path] = parameter
        self.stacks[site, parameter.path] = stacked
        return self.sites.leaf(site, parameter.path)


def write(plan: Plan, unit: Unit, module_names: frozenset[str]) -> tuple[Writer, list[str]]:
    """The statements of the unit's body, without its head; the writer tells the rest."""
    scope = Scope(module_names, mapped=unit.mapped)
    if not unit.is_class:
        scope.training = "training"
    w = Writer(plan, unit, scope, lead=unit.lead)
    _prepare(w)
    made = unit.flat.remade
    if made is not None:
        _remake(w, made)
    for k, step in enumerate(unit.flat.steps):
        if made is None or k not in made.steps or k in made.shared:
            _step(w, step)
    _keep(w)
    result = leave_unit(w)
    head = enter_unit(w)
    return w, [*head, *(commented(line.text, line.comment) for line in scope.lines), result]


def _keep(w: Writer) -> None:
    """Hold the leaves that come as arguments and yet live here: those of natives and of the body itself."""
    if not w.unit.kept:
        return
    leaves = leaves_by_path(w.unit.diagram, w.unit.bare)
    lead = w.unit.lead
    own = {path: leaves[path] for path in sorted(w.unit.kept)}
    own = {path: replace(p, type=Leaf(p.type.kind, (*lead, *p.type.axes))) for path, p in own.items()}
    for step in w.unit.flat.steps:
        before = f"{step.site}." if step.site else ""
        kept = kept_below(w.unit, step)
        for path, _ in step.plugs:
            parameter = own.pop(before + path, None) if path in kept else None
            if parameter is not None and isinstance(step.op, Native):
                w.leaf(step.site or "", replace(parameter, path=path), len(lead))
    for parameter in own.values():
        w.leaf("", parameter, len(lead))


def _remake(w: Writer, made: Remake) -> None:
    """Write the method that makes weights of parameters alone, and its call."""
    flat, outer = w.unit.flat, (w.scope, w.values, w.uses, w.args)
    steps = [flat.steps[k] for k in sorted(made.steps)]
    scope, values = w.scope, w.values
    w.scope, w.values, w.args = Scope(scope.module_names, imports=scope.imports), {}, []
    w.uses = flat.reads(steps, made.outputs)
    for wire in flat.globals.values() if w.unit.root else ():
        old = values[wire]
        w.values[wire] = w.scope.hold(Value(old.text, old.leaf, old.batched, uses=w.uses[wire] + 1))
    for wire in made.inputs:
        _argument(w, wire, flat.wires[wire].name, Mode.CONSTANT)
    known = [w.leaf(step.site or "", step.op.parameter) for step in steps if isinstance(step.op, Local)]
    known += [value.text for value in w.values.values()]
    w.scope.dtype_from = w.scope.device_from = next(iter(known), None)
    for step in steps:
        _step(w, step)
    head = f"def _make({', '.join(['self', *(f'{arg}: Tensor' for arg in w.args)])}) -> tuple[Tensor, ...]:"
    returned = f"return ({_items(w.values[wire].text for wire in made.outputs)})"
    sources, leaves = (_items(f'"{path}"' for path in paths) for paths in (made.sources, made.leaves))
    names = [f"_sources = ({sources})", f"_leaves = ({leaves})"]
    w.remade = [*names, head, *(commented(line.text, line.comment) for line in w.scope.lines), returned]
    modes = tuple(w.values[wire].batched for wire in made.outputs)
    w.scope, w.values, w.uses, w.args = outer
    call = f"self._made({', '.join(w.read(wire).text for wire in made.inputs)})"
    for wire in made.inputs:
        scope.release(w.values[wire])
    _bind(w, made.outputs, call, [], modes, True)


def _items(texts: Iterable[str]) -> str:
    items = list(texts)
    return f"{items[0]}," if len(items) == 1 else ", ".join(items)


def _prepare(w: Writer) -> None:
    flat, scope = w.unit.flat, w.scope
    if w.unit.root:  # whoever runs it gives the offsets of all var dims that its type mentions
        ends = [w.unit.diagram.wires[wire].type for wire in (*w.unit.diagram.inputs, *w.unit.diagram.outputs)]
        for leaf in ends:
            for name in sorted(of_leaves([leaf])):
                scope.segments(name)
    scope.declare_dims([size for wire in flat.wires for size in sizes_of(wire.type)])
    made = flat.remade
    main = [step for k, step in enumerate(flat.steps) if made is None or k not in made.steps or k in made.shared]
    w.uses = flat.reads(main, (*flat.outputs, *(made.inputs if made is not None else ())))
    for step in flat.steps:
        if step.site:
            w.used_sites.add(step.site)
            w.handed.setdefault(step.site, set()).update(path for path, _ in step.plugs)
            w.sites.add(step.site)
            if isinstance(step.op, Native):
                w.native_sites.add(step.site)
                if has_module(step.op, step):
                    w.module_sites.add(step.site)
    for step in flat.steps:
        path = step.op.parameter.path if isinstance(step.op, Local) else ""
        if "." in path and w.lender(path) is None:
            site = path.rpartition(".")[0]
            w.sites.add(site)
            constructor = lent_module(step.op.entry) if isinstance(step.op, Local) else None
            if constructor is not None:
                w.module_sites.add(site)
                w.modules.setdefault(site, constructor)
    for path in flat.globals if w.unit.root else ():
        if "." in path and w.lender(path) is None:
            w.sites.add(path.rpartition(".")[0])
    for step in flat.steps:
        if step.site and step.site in w.sites and not isinstance(step.op, Native):
            w.sites.lodge(step.site, living(w.plan, w.unit, step))
    _arguments(w)
    for wire in (*flat.plugged.values(), *flat.globals.values()):
        value = w.values[wire]
        scope.dtype_from = scope.dtype_from or value.text
        scope.device_from = scope.device_from or value.text
    if w.unit.is_class:  # of words, trees or nothing, the module itself says what its numbers are
        own = None
        if w.unit.info.learns:
            own = "next(self.parameters())"
        elif w.unit.info.measures:
            own = "next(b for b in self.buffers() if b.is_floating_point())"
        scope.dtype_from, scope.device_from = scope.dtype_from or own, scope.device_from or own


def _arguments(w: Writer) -> None:
    flat, scope = w.unit.flat, w.scope
    names = w.unit.diagram.domain_names
    constant = Mode.STACKED if w.unit.lead else Mode.CONSTANT
    for k, wire in enumerate(flat.inputs):
        info = flat.wires[wire]
        name = (names[k] if k < len(names) else None) or info.name
        _argument(w, wire, name, constant if info.constant else Mode.BATCHED)
        value = w.values[wire]
        scope.device_from = scope.device_from or value.text
        if storage(info.type.kind) == "float":
            scope.dtype_from = scope.dtype_from or value.text
        if value.batched is Mode.BATCHED and info.rows is None and w.origin is None:
            w.origin = Value(value.text, value.leaf, Mode.BATCHED)
    for wire in flat.plugged.values():
        _argument(w, wire, flat.wires[wire].name, Mode.CONSTANT)
    declared = {p.path: p for p in globals_of(w.unit.diagram)} if w.unit.root else {}
    held_still = untrained(w.unit.diagram) if declared else frozenset()
    for path, wire in flat.globals.items():
        if w.unit.root:
            parameter = declared[path]
            frozen = parameter.frozen or (parameter.home, path) in held_still
            text = w.leaf("", replace(parameter, frozen=frozen))
            w.values[wire] = scope.hold(Value(text, flat.wires[wire].type, Mode.CONSTANT, uses=w.uses[wire] + 1))
        else:
            _argument(w, wire, flat.wires[wire].name, Mode.CONSTANT)


def _argument(w: Writer, wire: int, name: str | None, batched: Mode) -> None:
    leaf = w.unit.flat.wires[wire].type
    trees = leaf.kind.form is not None
    var = w.scope.name(name or ("tree" if trees else None), [])
    w.scope.first_time(var)
    # The name of trees is that of nothing else: it has another type.
    value = Value(var.name, leaf, batched, var=None if trees else var, uses=w.uses[wire])
    w.values[wire] = w.scope.hold(value)
    w.args.append(var.name)
    if trees:
        w.trees.add(var.name)
        w.scope.imports.add("Tree")


# steps


def _step(w: Writer, step: Step) -> None:
    inputs = [w.read(wire) for wire in step.inputs]
    leaves = tuple(w.unit.flat.wires[wire].type for wire in step.outputs)
    op = step.op
    match op:
        case Core():
            context = Context(w.scope, inputs, leaves)
            lowered = core.lower(context, op)
            if isinstance(lowered, Value):
                _alias(w, step, lowered)
            else:
                batched = Mode.CONSTANT if op.name == "across" else joined(inputs)
                _assign(w, step, lowered, context.temps, batched)
        case Native():
            lowered_native, temps = lower_native(w, step, op, inputs, leaves)
            _assign(w, step, lowered_native, temps, joined(inputs))
        case Local(parameter) if not step.outputs:  # a state, which comes in
            w.cells[parameter.path] = parameter
        case Local(parameter):
            stacked = len(parameter.type.axes) - len(leaves[0].axes)
            mode = Mode.STACKED if stacked else Mode.CONSTANT
            _alias(w, step, Value(w.leaf(step.site or "", parameter, stacked), leaves[0], mode))
        case Invoke():
            text, flags = calls.invoke(w, step, op, inputs)
            _assign(w, step, text, [], flags)
        case Extern():
            _assign(w, step, calls.extern(w, step, op, inputs), [], joined(inputs))
            _check(w, step)
        case Slices():
            text, flags, foreign = calls.slices(w, step, op, inputs)
            _assign(w, step, text, [], flags)
            if foreign:
                _check(w, step)
        case Loop():
            _loop(w, step, op, inputs)
        case Open():
            open_rounds(w, step, op, inputs)
        case Shut():
            shut_rounds(w, step, op, inputs)
        case Fields():
            _rename(w, step, fields(w, step, op, inputs))
        case Climb():
            open_climb(w, step, op, inputs)
        case Top():
            shut_climb(w, step, op, inputs)
        case Stacked():
            _alias(w, step, Value(inputs[0].text, leaves[0], Mode.STACKED, inputs[0].var))
        case Segment():
            _assign(w, step, segment(w, step, op, inputs), [], Mode.BATCHED)
        case Enter():
            w.maps[op.mark] = joined(inputs), w.lead
            w.lead = () if op.merge else (*w.lead, *op.axes)  # merged: one axis, which has no name
            _rename(w, step, enter(w.scope, op, inputs, leaves))
        case Leave():
            outside, w.lead = w.maps[op.mark]
            _rename(w, step, leave(w.scope, op, inputs, leaves, outside))


def _check(w: Writer, step: Step, indent: str = "") -> None:
    """Check what a module of another package gave; the mistake is told under the name of its occurrence."""
    name = step.site or w.unit.diagram.name.rpartition("::")[2]
    for line in (line for wire in step.outputs if w.uses[wire] for line in given(w.scope, name, w.read(wire))):
        w.scope.write(indent + line)


def _alias(w: Writer, step: Step, value: Value) -> None:
    """The output is an expression that needs no statement."""
    wire = step.outputs[0]
    leaf = w.unit.flat.wires[wire].type
    new = Value(value.text, leaf, value.batched, value.var, value.scalar, value.number, w.uses[wire])
    w.values[wire] = w.scope.hold(new)
    _release(w, step)


def _rename(w: Writer, step: Step, results: list[Value | tuple[str, Mode]]) -> None:
    """Outputs of a step that mostly costs nothing: each is an input under another type, or a new expression."""
    made: list[tuple[int, str, Mode]] = []
    for wire, result in zip(step.outputs, results, strict=True):
        leaf = w.unit.flat.wires[wire].type
        if isinstance(result, Value):
            new = Value(result.text, leaf, result.batched, result.var, result.scalar, result.number, w.uses[wire])
            w.values[wire] = w.scope.hold(new)
        else:
            made.append((wire, *result))
    dying = _release(w, step)
    for wire, text, batched in made:
        if w.uses[wire]:
            _bind(w, (wire,), text, dying, (batched,))


def _release(w: Writer, step: Step) -> list[Var]:
    dying = []
    for wire in (*step.inputs, *(wire for _, wire in step.plugs)):
        var = w.scope.release(w.values[wire])
        if var is not None:
            dying.append(var)
    return dying


def _assign(
    w: Writer, step: Step, text: str | tuple[str, ...], temps: list[Var], batched: Mode | tuple[Mode, ...]
) -> None:
    flags = batched if isinstance(batched, tuple) else (batched,) * len(step.outputs)
    dying = _release(w, step)
    for var in temps:
        w.scope.free(var)
    if isinstance(text, tuple):
        text = ", ".join(text)
    if any(w.uses[wire] for wire in step.outputs):
        _bind(w, step.outputs, text, dying, flags)
    elif not isinstance(step.op, Core | Segment):
        w.scope.write(text)  # the weights are there, though nothing reads what they make


def _bind(
    w: Writer, wires: tuple[int, ...], text: str, dying: list[Var], batched: tuple[Mode, ...], unpack: bool = False
) -> None:
    targets: list[str] = []
    comments: list[str] = []
    fresh = False
    for wire, flag in zip(wires, batched, strict=True):
        info = w.unit.flat.wires[wire]
        if not w.uses[wire]:
            targets.append("_")
            continue
        var = w.scope.name(info.name, dying)
        fresh |= w.scope.first_time(var)
        w.values[wire] = w.scope.hold(Value(var.name, info.type, flag, var=var, uses=w.uses[wire]))
        targets.append(var.name)
        if len(wires) <= MANY:
            comments.append(w.shape(info.type, flag, info.rows))
    if unpack and len(wires) == 1:
        targets = [f"({targets[0]},)"]
    call = text.startswith("self.") and text.endswith(")")
    declared = ": Tensor" if fresh and len(wires) == 1 and call and not unpack else ""
    w.scope.write(f"{', '.join(targets)}{declared} = {text}", ", ".join(comments))


def _loop(w: Writer, step: Step, op: Loop, inputs: list[Value]) -> None:
    count = len(step.outputs)
    loop = calls.loop(w, step, op, inputs)
    carried = step.inputs[:count]
    dying: list[Var | None] = [w.scope.release(w.values[wire]) for wire in carried]
    names: list[Var] = []
    for k, wire in enumerate(step.outputs):
        info, old = w.unit.flat.wires[wire], dying[k]
        reuse = old is not None and (info.name is None or info.name == old.name)
        names.append(w.scope.name(old.name if reuse and old is not None else info.name, []))
    pairs = [(var, text) for var, text in zip(names, loop.start, strict=True) if var.name != text]
    if pairs:
        w.scope.write(f"{', '.join(var.name for var, _ in pairs)} = {', '.join(text for _, text in pairs)}")
    comments = []
    for wire, var, flag in zip(step.outputs, names, loop.batched, strict=True):
        w.scope.first_time(var)
        info = w.unit.flat.wires[wire]
        w.values[wire] = w.scope.hold(Value(var.name, info.type, flag, var=var, uses=w.uses[wire]))
        comments.append(w.shape(info.type, flag))
        if not w.uses[wire]:
            w.scope.free(var)
    w.scope.write(loop.head)
    *first, last = loop.body([var.name for var in names])
    for line in first:
        w.scope.write("    " + line)
    w.scope.write("    " + last, ", ".join(comments) if count <= MANY else "")
    if loop.foreign:
        _check(w, step, "    ")
    if loop.lone:
        for var in (var for var, wire in zip(names, step.outputs, strict=True) if not w.unit.flat.wires[wire].constant):
            w.scope.write(f"{var.name} = {var.name}.squeeze(0)")
    for wire in (*step.inputs[count:], *(wire for _, wire in step.plugs)):
        w.scope.release(w.values[wire])
