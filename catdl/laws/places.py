"""Terms with indices that are computed: a place in a merged axis is a pair, a slice an offset, a gathered one a value.

Takes the algebra of terms. Guarantees that taking a pair apart and putting it together again are nothing, as are two
reversals; so moving axes about moves indices and leaves no trace.

    p.over(p.pair(i, j, width), width) is i
"""

from __future__ import annotations

from collections.abc import Hashable

from catdl.laws.algebra import Algebra
from catdl.laws.terms import Term
from catdl.types.sizes import Poly, Size, add, mul, show


class Places(Algebra):
    """Terms with indices that are computed: pairs, offsets, values."""

    def pair(self, first: Term, second: Term, width: Size) -> Term:
        """The place in a merged axis of two, the second of a width."""
        return self.simplified("pair", show(width), (first, second))

    def over(self, place: Term, width: Size) -> Term:
        """The first of the two places that a place in a merged axis stands for."""
        same = place.op == "pair" and place.data == show(width)
        return place.args[0] if same else self.make("over", show(width), (place,))

    def within(self, place: Term, width: Size) -> Term:
        """The second of the two."""
        same = place.op == "pair" and place.data == show(width)
        return place.args[1] if same else self.make("within", show(width), (place,))

    def moved(self, place: Term, start: Size, step: Size) -> Term:
        """start + step × place."""
        if place.op == "moved" and isinstance(place.data, tuple):
            before, stride = place.data
            start, step = add(start, mul(step, before)), mul(step, stride)
            place = place.args[0]
        return place if (start, step) == (0, 1) else self.make("moved", (start, step), (place,))

    def at(self, value: Term) -> Term:
        """The place that a value says."""
        return value.args[0] if value.op == "place" else self.make("at", None, (value,))

    def place(self, index: Term) -> Term:
        """The number of a place."""
        return index.args[0] if index.op == "at" else self.make("place", None, (index,))

    def simplified(self, op: str, data: Hashable, args: tuple[Term, ...]) -> Term:
        """What is known of places again, on other terms."""
        match op, data:
            case "pair", str(width):
                first, second = args
                joined = first.op == "over" and second.op == "within" and first.data == second.data == width
                return first.args[0] if joined and first.args == second.args else self.make(op, data, args)
            case "over" | "within", str(width):
                pair = args[0].op == "pair" and args[0].data == width
                return args[0].args[0 if op == "over" else 1] if pair else self.make(op, data, args)
            case "moved", (int() | Poly() as start, int() | Poly() as step):
                return self.moved(args[0], start, step)
            case "at", None:
                return self.at(args[0])
            case "place", None:
                return self.place(args[0])
            case _:
                return self.make(op, data, args)
