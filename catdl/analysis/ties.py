"""What is tied: weights that are read at more than one place, or more than once at one place.

Takes the visits of a diagram. Guarantees: declared parameters, parameters of a body and shared sites by key, each
with the places that read it; `iterate` and parametric `map` with the place that repeats them.

    ties(visits(gpt2))      [Tie("wte", "", [embed{wte} at 27:5, linear(bias = false){weight = wte} at 27:75])]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catdl.analysis.places import Note, Visit, merged, written
from catdl.diagram.model import Box, Core, Diagram, Fold, Global, Local, Map, Repeat, TreeFold
from catdl.diagram.params import bodies, owns
from catdl.types.types import plain, show_axis


@dataclass(frozen=True, slots=True)
class Tie:
    """A key whose weights are shared, how (empty: it is read at each place), where, and how many parameters it is."""

    key: str
    how: str
    places: list[Note]
    leaves: int = 1


def ties(found: list[Visit]) -> list[Tie]:
    """All ties: declared parameters in the order in which they are met, then the others from the outside in."""
    declared: dict[str, list[Note]] = {}
    repeated: dict[int, dict[tuple[str, str], list[Note]]] = {}
    sites: dict[int, dict[str, list[Note]]] = {}  # by space
    for visit in found:
        here = repeated.setdefault(visit.space, {})
        for tie in _of_visit(visit, declared, sites.setdefault(visit.space, {})):
            here.setdefault((tie.key, tie.how), []).extend(tie.places)
    out = [tie for tie in _declared(declared) if sum(note.times for note in tie.places) > 1]
    for space, others in repeated.items():
        out += [Tie(key, how, merged(notes)) for (key, how), notes in others.items()]
        out += [Tie(key, "", merged(notes)) for key, notes in sites[space].items() if len(notes) > 1]
    return out


def _declared(declared: dict[str, list[Note]]) -> list[Tie]:
    """The declared parameters; the leaves of a record that are read at the same places are one tie."""
    found: dict[tuple[str, tuple[Note, ...]], list[str]] = {}
    for key, notes in declared.items():
        record, dot, _ = key.partition(".")
        found.setdefault((record if dot else key, tuple(merged(notes))), []).append(key)
    return [
        Tie(record if len(keys) > 1 else keys[0], "", list(notes), len(keys)) for (record, notes), keys in found.items()
    ]


def _of_visit(visit: Visit, declared: dict[str, list[Note]], sites: dict[str, list[Note]]) -> Iterator[Tie]:
    reads: dict[int, list[Note]] = {}  # by the wires of parameters
    for box in visit.diagram.boxes:
        if isinstance(box.op, Global | Local):
            path = box.op.parameter.path
            if box.op.parameter.state:
                continue
            if isinstance(box.op, Global):
                reads[box.outputs[0]] = declared.setdefault(path, [])
            else:
                reads[box.outputs[0]] = sites.setdefault(visit.key(path), [])
            continue
        if isinstance(box.op, Core) and box.op.name == "stop" and box.inputs[0] in reads:
            reads[box.outputs[0]] = reads[box.inputs[0]]  # held still, it is read by what reads it then
            continue
        note = Note(written(box.span), box.span, visit.times)
        if box.site is not None and visit.own:
            sites.setdefault(visit.key(box.site), []).append(note)
        match box.op:
            case _ if not visit.own:
                pass
            case Repeat(tie="tied", body=body, count=count) if owns(body):
                yield Tie(_keys(visit, box, body), f"iterate, {count} rounds", [note])
            case Fold(axis=axis, body=body) if owns(body):
                yield Tie(_keys(visit, box, body), f"fold[{show_axis(axis)}]", [note])
            case TreeFold(form=form, body=body, axis=nodes) if owns(body):
                what = "fold" if nodes is None else f"annotate[{show_axis(nodes)}]"
                yield Tie(_keys(visit, box, body), f"{what} over {plain(form.name)}", [note])
            case Map(axes=axes, body=body) if owns(body):
                yield Tie(_keys(visit, box, body), f"map[{', '.join(map(show_axis, axes))}]", [note])
            case _:
                pass
        for wire in dict.fromkeys(box.inputs):
            if wire in reads:
                reads[wire].append(note)
        rounds = box.op.count if isinstance(box.op, Repeat) and box.op.tie == "tied" else 1
        for _, wire in box.plugs:  # each leaf is a place of its own, and is read in every round
            if wire in reads:
                reads[wire].append(Note(note.text, note.span, note.times * rounds))


def _keys(visit: Visit, box: Box, body: Diagram) -> str:
    """The key of a box; of one without a segment of its own those of its parts."""
    if box.site is not None:
        return visit.key(box.site)
    found: dict[str, None] = {}
    stack = [iter(body.boxes)]
    while stack:
        for part in stack[-1]:
            inner = bodies(part)
            if part.site is not None:
                found[visit.key(part.site)] = None
            elif inner is not None and owns(inner):
                stack.append(iter(inner.boxes))
                break
        else:
            stack.pop()
    return ", ".join(found)
