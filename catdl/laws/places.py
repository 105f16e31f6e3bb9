"""Terms with indices that are computed: a place in a merged axis is a pair, a slice an offset, a gathered one a value.

Takes the algebra of terms. Guarantees that taking a pair apart and putting it together again are nothing, as are two
reversals; so moving axes about moves indices and leaves no trace. What is reduced over such places is reduced over
plain ones: backwards is as good as forwards, and a merged axis is the axes it was merged of.

    p.over(p.pair(i, j, width), width) is i
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction

from catdl.laws.functions import Functions
from catdl.laws.terms import Term
from catdl.types.sizes import Poly, Size, add, mul, show

LINEAR = {"pad": "paddings", "scan": "running sums"}


class Places(Functions):
    """Terms with indices that are computed: pairs, offsets, values."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self._firsts: dict[tuple[str, str], Size] = {}  # of a merged axis, by the width of its second and its size
        self._seconds: dict[str, Size] = {}  # such widths, by how they are shown
        self._computed: set[Hashable] = set()  # names of indices from which places are computed

    def parted(self, place: Term, sizes: Sequence[Size]) -> list[Term]:
        """The places in several axes that one in the merged axis stands for."""
        found: list[Term] = []
        for k in range(len(sizes) - 1, 0, -1):
            first = sizes[0]
            for size in sizes[1:k]:
                first = mul(first, size)
            self._firsts[show(sizes[k]), show(mul(first, sizes[k]))] = first
            self._seconds[show(sizes[k])] = sizes[k]
            found.append(self.within(place, sizes[k]))
            place = self.over(place, sizes[k])
        return [place, *reversed(found)]

    def total(self, term: Term, name: int, size: Size) -> Term:
        """The sum of a term over one of its indices."""
        plain = self._plain(term, name, size)
        if plain is None:
            return super().total(term, name, size)
        term, over = plain
        for one, width in over:
            term = self.total(term, one, width)
        return term

    def reduce(self, name: str, term: Term, over: Sequence[tuple[int, Size]]) -> Term:
        """A reduction by a commutative monoid other than the sum: over indices that bind."""
        left, done = list(over), []
        while left:
            one, size = left.pop()
            plain = self._plain(term, one, size)
            if plain is None:
                done.append((one, size))
            else:
                term = plain[0]
                left += plain[1]
        return super().reduce(name, term, done[::-1])

    def _plain(self, term: Term, name: int, size: Size) -> tuple[Term, list[tuple[int, Size]]] | None:
        """A term over plain indices instead of one that is read backwards only, or only as that of a merged axis."""
        if name not in self._computed:
            return None
        readers = self._readers(term, name)
        if readers == {("moved", (add(size, -1), -1))}:
            back = self.fresh()
            made = self.put(term, {name: self.make("moved", (add(size, -1), -1), (self.index(back),))})
            self.note("a reduction goes by no order", "Σ {} ({})", (self.index(name), term), made)
            return made, [(back, size)]
        widths = {data for _, data in readers}
        width = next(iter(widths)) if len(widths) == 1 and {op for op, _ in readers} == {"over", "within"} else None
        first = self._firsts.get((width, show(size))) if isinstance(width, str) else None
        if first is None or not isinstance(width, str):
            return None
        second = self._seconds[width]
        one, other = self.fresh(), self.fresh()
        made = self.put(term, {name: self.make("pair", width, (self.index(one), self.index(other)))})
        self.note("a reduction over a merged axis is one over its parts", "Σ {} ({})", (self.index(name), term), made)
        return made, [(other, second), (one, first)]

    def _readers(self, term: Term, name: int) -> set[tuple[str, Hashable]]:
        """The operations that take an index as it is."""
        index, found, seen, stack = self.index(name), set(), set(), [term]
        while stack:
            here = stack.pop()
            if id(here) in seen or name not in here.free:
                continue
            seen.add(id(here))
            self.spend()
            if index in here.args or here is index:
                found.add((here.op, here.data))
            stack += [arg for arg in here.args if arg is not index]
        return found

    def _of(self, op: str, data: Hashable, place: Term) -> Term:
        """A place computed from another."""
        if place.op == "index":
            self._computed.add(place.data)
        return self.make(op, data, (place,))

    def pair(self, first: Term, second: Term, width: Size) -> Term:
        """The place in a merged axis of two, the second of a width."""
        return self.simplified("pair", show(width), (first, second))

    def over(self, place: Term, width: Size) -> Term:
        """The first of the two places that a place in a merged axis stands for."""
        same = place.op == "pair" and place.data == show(width)
        return place.args[0] if same else self._of("over", show(width), place)

    def within(self, place: Term, width: Size) -> Term:
        """The second of the two."""
        same = place.op == "pair" and place.data == show(width)
        return place.args[1] if same else self._of("within", show(width), place)

    def moved(self, place: Term, start: Size, step: Size) -> Term:
        """start + step × place."""
        if place.op == "moved" and isinstance(place.data, tuple):
            before, stride = place.data
            start, step = add(start, mul(step, before)), mul(step, stride)
            place = place.args[0]
        return place if (start, step) == (0, 1) else self._of("moved", (start, step), place)

    def at(self, value: Term) -> Term:
        """The place that a value says."""
        return value.args[0] if value.op == "place" else self.make("at", None, (value,))

    def place(self, index: Term) -> Term:
        """The number of a place."""
        return index.args[0] if index.op == "at" else self.make("place", None, (index,))

    def along(self, op: str, data: Hashable, args: tuple[Term, ...]) -> Term:
        """What acts on a function of one index, at a place; of a sum, part by part, where it is linear."""
        place, body = args
        if not (isinstance(data, tuple) and data[-1]):
            return self.make(op, data, args)
        name = self.fresh()
        inner = self.put(body.args[0], {body.bound[0]: self.index(name)})
        out: list[tuple[Fraction | int, Term]] = []
        for coef, mono in self.parts(inner):
            over, factors = self._apart(mono)
            # Where it gives 0, what may have no value would still have none, were it outside.
            free = [(f, p) for f, p in factors if name not in f.free and f.total and (p > 0 or self.positive(f))]
            kept = [pair for pair in factors if pair not in free]
            function = self.bind("lambda", None, (self._sum({self._mono((), kept): Fraction(1)}),), (name,))
            one = self.make(op, data, (place, function))
            out.append((coef, self._sum({self._mono(over, [*free, (one, 1)]): Fraction(1)})))
        made = self.add(out)
        if made is not self.make(op, data, args):
            self.note(f"{LINEAR[op]} are linear", "({})", (inner,), made)
        return made

    def simplified(self, op: str, data: Hashable, args: tuple[Term, ...]) -> Term:
        """What is known of places again, on other terms."""
        match op, data:
            case "pair", str(width):
                first, second = args
                joined = first.op == "over" and second.op == "within" and first.data == second.data == width
                return first.args[0] if joined and first.args == second.args else self.make(op, data, args)
            case "over" | "within", str(width):
                pair = args[0].op == "pair" and args[0].data == width
                return args[0].args[0 if op == "over" else 1] if pair else self._of(op, data, args[0])
            case "moved", (int() | Poly() as start, int() | Poly() as step):
                return self.moved(args[0], start, step)
            case "pad" | "scan", _:
                return self.along(op, data, args)
            case "at", None:
                return self.at(args[0])
            case "place", None:
                return self.place(args[0])
            case _:
                return self.make(op, data, args)
