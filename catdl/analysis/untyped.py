"""What no type can catch: signs, stopped gradients, the order of parts, conventions in static arguments.

Takes the visits of a diagram. Guarantees: every such box once for each place where it is written, in the order of the
text, with the number of times it runs. What the prelude does inside its entries is not listed.

    orders(visits(gpt2))      [split(3) gives q, k, v at 14:29]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from catdl.analysis.places import Note, Visit, merged, written
from catdl.diagram.model import Box, Call, Core, Diagram, Native, Static
from catdl.types.sizes import Poly, show
from catdl.types.types import Axis, show_axis

# Entries of gradient.cat and activations.cat that send the gradient another way.
STRAIGHT = frozenset({"round_ste", "sign_ste", "quantize_ste", "scale_gradient", "reverse_gradient"})

# Arguments that the list of parameters or of ports shows already.
IN_TYPES = frozenset({"affine", "bias"})


def signs(found: list[Visit]) -> list[Note]:
    """Subtractions and negations."""

    def is_sign(box: Box) -> str | None:
        match box.op:
            case Core(name="pointwise") if box.op["fn"] in ("sub", "neg"):
                return written(box.span)
            case _:
                return None

    return _notes(found, is_sign)


def gradients(found: list[Visit]) -> list[Note]:
    """Where a gradient stops or goes another way."""

    def is_stop(box: Box) -> str | None:
        match box.op:
            case Core(name="stop" | "straight"):
                return written(box.span)
            case Native(entry=entry, args=args):
                hard = entry == "gumbel_softmax" and dict(args)["hard"] is True
                return written(box.span) if hard or entry in STRAIGHT else None
            case _:
                return None

    return _notes(found, is_stop)


def orders(found: list[Visit]) -> list[Note]:
    """The parts that are joined or cut along an axis, in their order."""
    return merged(note for visit in found for note in _orders(visit))


def conventions(found: list[Visit]) -> list[Note]:
    """Static arguments with their values, defaults filled in."""

    def arguments(box: Box) -> str | None:
        match box.op:
            case Native(entry=name, args=args):
                args = tuple((key, value) for key, value in args if not isinstance(value, Axis) and key not in IN_TYPES)
            case Call(callee=callee):
                name, args = callee.name, callee.arguments
            case _:
                return None
        return f"{name}({', '.join(f'{key} = {show_static(value)}' for key, value in args)})" if args else None

    return _notes(found, arguments)


def branches(found: list[Visit]) -> list[Note]:
    """Which way each static `if` went."""
    return merged(
        Note(f"{written(choice.condition)} is {show_static(choice.held)}", choice.condition, visit.times)
        for visit in found
        for choice in visit.diagram.choices
    )


def show_static(value: Static) -> str:
    """A static argument as it is written in a spec."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case Fraction():
            decimal = repr(float(value))
            return decimal if Fraction(decimal) == value else f"{value.numerator}/{value.denominator}"
        case Axis():
            return show_axis(value)
        case Poly():
            return show(value)
        case tuple():
            return f"[{', '.join(map(show_static, value))}]"
        case _:
            return repr(value)


def _notes(found: list[Visit], text: Callable[[Box], str | None]) -> list[Note]:
    return merged(
        Note(shown, box.span, visit.times)
        for visit in found
        for box in visit.diagram.boxes
        if (shown := text(box)) is not None
    )


def _orders(visit: Visit) -> Iterator[Note]:
    diagram = visit.diagram
    makers: dict[int, Box] = {}
    cuts: dict[tuple[int, int, int], list[Box]] = {}
    for box in diagram.boxes:
        makers.update(dict.fromkeys(box.outputs, box))
        if not isinstance(box.op, Core):
            continue
        if box.op.name == "concat":
            parts = ", ".join(_maker_name(diagram, wire, box, makers) for wire in box.inputs)
            yield Note(f"{written(box.span, 30)} of {parts}", box.span, visit.times)
        elif box.op.name == "slice":
            cuts.setdefault((box.inputs[0], box.span.start, box.span.end), []).append(box)
    for parts_of in cuts.values():
        names = [diagram.wires[box.outputs[0]].name for box in parts_of]
        if len(parts_of) > 1 and any(names):
            shown = ", ".join(name or "_" for name in names)
            yield Note(f"{written(parts_of[0].span, 30)} gives {shown}", parts_of[0].span, visit.times)


def _maker_name(diagram: Diagram, wire: int, reader: Box, makers: dict[int, Box]) -> str:
    """What to call a wire: its name, else that of the box it leaves, through boxes of the reader's own text."""
    while diagram.wires[wire].name is None and wire in makers:
        maker = makers[wire]
        if maker.span != reader.span or len(maker.inputs) != 1:
            return maker.site or written(maker.span, 30)
        wire = maker.inputs[0]
    return diagram.wires[wire].name or "_"
