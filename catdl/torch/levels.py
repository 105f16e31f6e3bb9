"""A fold over trees written out: what stands at the leaves, then a `for` over the levels, the deepest first.

fields(w, step, Fields(0), [tree])       "word = tree.constants[0][0]"
open_climb(w, step, Climb(…), […])       "for level, … in zip(tree.levels, …):", and deeper until `shut_climb`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catdl.torch.context import Context
from catdl.torch.names import ident
from catdl.torch.scope import Mode, Value, Var
from catdl.torch.steps import Climb, Fields, Step, Top
from catdl.torch.trees import loose, row_dims, summands
from catdl.types.sizes import short
from catdl.types.types import Child

if TYPE_CHECKING:
    from catdl.torch.unit import Writer


@dataclass(frozen=True, slots=True)
class Climbing:
    """A loop over levels that is open: what goes up, the rows of the leaves beside it, the name of the level.

    `lists` hold what all levels gave, where that is wanted.
    """

    op: Climb
    names: list[Var]
    lists: list[str]
    rows: dict[int, list[str]]  # by summand, for each wire of the carrier
    level: str


def fields(w: Writer, step: Step, op: Fields, inputs: list[Value]) -> list[Value | tuple[str, Mode]]:
    """What stands at the nodes of a summand: its constants, and what is captured, of the sample of each."""
    tree, *apart = inputs
    texts = [f"{tree.text}.constants[{op.summand}][{k}]" for k in range(len(step.outputs) - len(apart))]
    texts += [_sampled(w, tree, op.summand, value) for value in apart]
    return [(text, Mode.BATCHED) for text in texts]


def _sampled(w: Writer, tree: Value, summand: int, value: Value) -> str:
    if not value.batched:
        return _rows(w, tree, summand, value)
    return f"{Context(w.scope, [value], ()).tensor(value)}.index_select(0, {tree.text}.samples({summand}))"


def open_climb(w: Writer, step: Step, op: Climb, inputs: list[Value]) -> None:
    """The head of the loop, and the states of the children in it."""
    wires = w.unit.flat.wires
    below, above = summands(op.form)
    tree, apart = inputs[0], inputs[len(inputs) - op.apart :]
    carried, starting = op.carried, op.carried if loose(op.form) else 0
    starts, states = inputs[1 : 1 + starting], inputs[1 + starting : len(inputs) - op.apart]
    texts = [_rows(w, tree, below[k // carried], value) for k, value in enumerate(states)]
    begun = [f"{Context(w.scope, [v], ()).tensor(v)}.expand(0{', -1' * v.rank})" for v in starts]
    for wire in step.inputs:
        w.scope.release(w.values[wire])
    own = iter(step.outputs[carried:])
    rows: list[str] = []
    for k, (text, value) in enumerate(zip(texts, states, strict=True)):
        rows.append(w.scope.reserve(f"{ident(wires[step.outputs[k % carried]].name or value.text)}_rows"))
        w.scope.write(f"{rows[-1]} = {tree.text}.by_level({below[k // carried]}, {text})")
    names = [w.scope.name(wires[wire].name, []) for wire in step.outputs[:carried]]
    for k, var in enumerate(names):
        parts = ", ".join(f"next({each})" for each in rows[k::carried])
        text = begun[k] if begun else f"{tree.text}.bottom.join({parts})"
        w.scope.write(f"{var.name} = {text}", w.shape(wires[step.outputs[k]].type, Mode.BATCHED))
    lists = [w.scope.reserve(f"{var.name}_levels") for var in names] if op.every else []
    for var, listed in zip(names, lists, strict=False):
        w.scope.write(f"{listed}: list[Tensor] = []" if begun else f"{listed} = [{var.name}]")
    level = w.scope.reserve("level")
    leaves = [w.scope.reserve(each.removesuffix("_rows") + "_leaf") for each in rows]
    each, over, children = [level, *leaves], [f"{tree.text}.levels", *rows], []
    for summand in above:
        constants = 0
        for item in op.form.summands[summand]:
            if isinstance(item, Child):
                children.append([next(own) for _ in range(carried)])
                continue
            text = f"{tree.text}.constants[{summand}][{constants}]"
            constants += 1
            _beside(w, next(own), tree, summand, text, each, over)
        for value in apart:
            _beside(w, next(own), tree, summand, _sampled(w, tree, summand, value), each, over)
    listed = ", ".join(over)
    w.scope.write(f"for {', '.join(each)} in {listed if len(over) == 1 else f'zip({listed})'}:")
    w.scope.open_block([var.name for var in names])
    for number, dim in enumerate(row_dims(op.form)):
        w.scope.local_rows[dim] = w.scope.reserve(ident(short(dim)))
        w.scope.imports.add("Segments")
        w.scope.write(f"{w.scope.local_rows[dim]} = Segments({level}.offsets({number}))")
    for k, var in enumerate(names):
        w.scope.first_time(var)
        targets = [_bound(w, place[k]) for place in children]
        if any(target != "_" for target in targets):
            only = wires[children[0][k]]
            comment = w.shape(only.type, Mode.BATCHED, only.rows) if len(targets) == 1 else ""
            listed = ", ".join(targets) if len(targets) > 1 else f"({targets[0]},)"
            w.scope.write(f"{listed} = {level}.children({var.name})", comment)
        w.scope.free(var)
    w.climbs[op.mark] = Climbing(
        op, names, lists, {s: leaves[k * carried : (k + 1) * carried] for k, s in enumerate(below)}, level
    )


def _rows(w: Writer, tree: Value, summand: int, value: Value) -> str:
    """What a leg gave, a row for each node."""
    text = Context(w.scope, [value], ()).tensor(value)
    return text if value.batched else f"{text}.expand({tree.text}.rows({summand}){', -1' * value.rank})"


def _beside(w: Writer, wire: int, tree: Value, summand: int, text: str, each: list[str], over: list[str]) -> None:
    """Something of the nodes of a level goes along with it, if anything reads it."""
    name = _bound(w, wire)
    if name != "_":
        each.append(name)
        over.append(f"{tree.text}.by_level({summand}, {text})")


def _bound(w: Writer, wire: int) -> str:
    """The name of a new value in the loop."""
    if not w.uses[wire]:
        return "_"
    info = w.unit.flat.wires[wire]
    var = w.scope.name(info.name, [])
    w.scope.first_time(var)
    w.values[wire] = w.scope.hold(Value(var.name, info.type, Mode.BATCHED, var=var, uses=w.uses[wire]))
    return var.name


def shut_climb(w: Writer, step: Step, op: Top, inputs: list[Value]) -> None:
    """The end of the loop: the legs' results in the order of the level above; after the last, of the roots."""
    climbing = w.climbs.pop(op.mark)
    for dim in row_dims(climbing.op.form):
        del w.scope.local_rows[dim]
    _, above = summands(climbing.op.form)
    names, level = climbing.names, climbing.level
    carried = len(names)
    made = {
        s: [_at_level(w, level, s, value) for value in inputs[k * carried : (k + 1) * carried]]
        for k, s in enumerate(above)
    }
    parts = {**climbing.rows, **made}
    joined = [f"{level}.join({', '.join(parts[s][k] for s in range(len(parts)))})" for k in range(carried)]
    tree = inputs[len(above) * carried].text
    for wire in step.inputs:
        w.scope.release(w.values[wire])
    tops = [w.unit.flat.wires[wire] for wire in step.outputs]
    comments = [w.shape(top.type, Mode.BATCHED) for top in tops]
    w.scope.write(f"{', '.join(var.name for var in names)} = {', '.join(joined)}", ", ".join(comments))
    for var, each in zip(names, climbing.lists, strict=False):
        w.scope.write(f"{each}.append({var.name})")
    w.scope.shut_block(carried)
    for var, each, top in zip(names, climbing.lists, tops, strict=False):
        w.scope.write(f"{var.name} = {tree}.nodes({each})", w.shape(top.type, Mode.BATCHED, top.rows))
    for wire, var in zip(step.outputs, names, strict=True):
        w.scope.take(var)
        leaf = w.unit.flat.wires[wire].type
        w.values[wire] = w.scope.hold(Value(var.name, leaf, Mode.BATCHED, var=var, uses=w.uses[wire]))
        if not w.uses[wire]:
            w.scope.free(var)


def _at_level(w: Writer, level: str, summand: int, value: Value) -> str:
    text = Context(w.scope, [value], ()).tensor(value)
    return text if value.batched else f"{text}.expand({level}.count({summand}){', -1' * value.rank})"
