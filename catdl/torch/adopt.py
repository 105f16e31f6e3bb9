"""A call that is given the whole of one declared record is the module of that record.

Takes a root Diagram. Guarantees the same keys and values: `param w : weights(encoder)` plugged into `encoder{w}` is a
submodule `w` of the class of `encoder`, called wherever it is plugged, which is how an engineer ties two layers.

    x = encode(x, self.w["weight"], self.w["bias"])       becomes      x = self.w(x)
"""

from __future__ import annotations

from collections.abc import Mapping

from catdl.diagram.changes import Change
from catdl.diagram.freeze import untrained
from catdl.diagram.model import Box, Call, Diagram, Global, Op
from catdl.diagram.params import NOWHERE, bodies, globals_of, leaves_of
from catdl.diagram.plug import changed


def adopted(root: Diagram) -> Diagram:
    """The diagram with such calls at sites of their own, and without the declared parameters that only they read."""
    read_here = {box.outputs[0]: box.op.parameter for box in root.boxes if isinstance(box.op, Global)}
    if not any("." in leaf.path for leaf in read_here.values()):
        return root
    never = untrained(root)
    apart = {leaf.path for leaf in read_here.values() if leaf.frozen and (leaf.home, leaf.path) not in never}
    names = {  # what is held still here and not elsewhere is no module's own
        wire: leaf.path for wire, leaf in read_here.items() if not (leaf.frozen and leaf.path in apart)
    }
    told = {
        leaf.path: Change(frozen=frozen, init=leaf.init if leaf.told else None)
        for leaf in globals_of(root)
        if (frozen := (leaf.home, leaf.path) in never) or leaf.told
    }
    homes: dict[str, tuple[object, Op]] = {}
    boxes: list[Box] = []
    for box in root.boxes:
        name = _record(box, names, bool(told))
        if name is not None:
            held, op = homes.setdefault(name, (_held(box.op), _started(box, name, told)))
            if held is _held(box.op):
                box = Box(op, box.inputs, box.outputs, name, (), box.span)
        boxes.append(box)
    if not homes:
        return root
    read = {wire for box in boxes for wire in (*box.inputs, *(w for _, w in box.plugs))} | set(root.outputs)
    kept = [box for box in boxes if not isinstance(box.op, Global) or box.outputs[0] in read or not _in(box.op, homes)]
    made = dict.fromkeys((*root.inputs, *(wire for box in kept for wire in box.outputs)))
    at = {old: new for new, old in enumerate(made)}
    return Diagram(
        root.name,
        tuple(root.wires[old] for old in made),
        tuple(at[wire] for wire in root.inputs),
        tuple(at[wire] for wire in root.outputs),
        tuple(
            Box(
                box.op,
                tuple([at[wire] for wire in box.inputs]),
                tuple([at[wire] for wire in box.outputs]),
                box.site,
                tuple([(path, at[wire]) for path, wire in box.plugs]),
                box.span,
            )
            for box in kept
        ),
        root.effects,
        root.domain_names,
        root.codomain_names,
        root.facts,
        root.bounds,
        root.arguments,
        root.choices,
    )


def _started(box: Box, name: str, told: dict[str, Change]) -> Op:
    """The operation with its leaves starting as the record says, and held still where nothing trains them."""
    leaves = [(leaf.path, told.get(f"{name}.{leaf.path}")) for leaf in leaves_of(box.op, box.site)]
    changes = {path: found for path, found in leaves if found is not None}
    if not changes or not isinstance(box.op, Call):
        return box.op
    return Call(changed(box.op.callee, changes), box.op.inline)


def _in(op: Global, homes: Mapping[str, object]) -> bool:
    """Whether a declared parameter lives in a module that stands for its record."""
    parts = op.parameter.path.split(".")
    return any(".".join(parts[:k]) in homes for k in range(1, len(parts)))


def _held(op: Op) -> object:
    """What calls that share a module have in common."""
    return bodies(Box(op, (), (), None, (), NOWHERE)) or op


def _record(box: Box, names: dict[int, str], told: bool) -> str | None:
    """The declared record that is all that is plugged into a box, and all of its leaves."""
    if not box.plugs:
        return None
    path, wire = box.plugs[0]
    whole = names.get(wire, "")
    name = whole.removesuffix(f".{path}")
    if name == whole or any(names.get(wire) != f"{name}.{path}" for path, wire in box.plugs):
        return None
    plugged = {path for path, _ in box.plugs}
    if told and not isinstance(box.op, Call):
        return None
    return name if all(leaf.path in plugged for leaf in leaves_of(box.op, box.site)) else None
