"""Terms: what a number of a network is, as a function of the indices of its place.

Takes nothing from earlier stages but sizes. Guarantees: terms are shared (two equal terms of one store are one
object), bound indices have the lowest names that are free where they are bound, so that terms which differ in these
names only are one, and `digest` orders terms in the same way in every store.

    store.make("in", "x", (store.index(0),))      x[i0]
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from hashlib import blake2b

from catdl.diagram.drive import Work, drive

FIRST_FREE = 1 << 40
"""Names of indices from here on stand for bound ones while a term is made or taken apart; none is left at the end."""

FIRST_DRAW = 1 << 60
"""Names from here on stand for boxes that draw, until all results are known."""

_APART = 1 << 50


class Term:
    """An operation on terms. `free` are the names of the indices that it depends on; `bound` those that it binds.

    `digest` tells terms apart; `blind` is the same for terms that differ in the names of indices only. `total` says
    that it has a value whatever the numbers are: `1 / x` has none where x is zero.
    """

    __slots__ = ("args", "blind", "bound", "data", "digest", "free", "op", "total")

    def __init__(
        self,
        op: str,
        data: Hashable,
        args: tuple[Term, ...],
        bound: tuple[int, ...],
        free: frozenset[int],
        digest: bytes,
        blind: bytes,
        total: bool,
    ) -> None:
        self.op = op
        self.data = data
        self.args = args
        self.bound = bound
        self.free = free
        self.digest = digest
        self.blind = blind
        self.total = total


class Budget(Exception):
    """More steps than a normal form may take."""


class Store:
    """All terms of one comparison, and how many steps are left."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self._made: dict[tuple[str, Hashable, tuple[int, ...], tuple[int, ...]], Term] = {}
        self._next = _APART

    def spend(self, steps: int = 1) -> None:
        """Take steps. Raises Budget when none is left."""
        self.steps -= steps
        if self.steps < 0:
            raise Budget

    def make(self, op: str, data: Hashable, args: tuple[Term, ...] = (), bound: tuple[int, ...] = ()) -> Term:
        """The term; `bound` has its names already."""
        key = (op, data, tuple(map(id, args)), bound)
        found = self._made.get(key)
        if found is None:
            self.spend()
            free = frozenset().union(*(arg.free for arg in args)) - frozenset(bound)
            if op == "index":
                assert isinstance(data, int)
                free = frozenset((data,))
            digest = blake2b(repr((op, str(data), bound)).encode(), digest_size=16)
            for arg in args:
                digest.update(arg.digest)
            total = all(arg.total for arg in args) and self.defined(op, data, args)
            found = self._made[key] = Term(op, data, args, bound, free, digest.digest(), _blind(op, data, args), total)
        return found

    def defined(self, op: str, data: Hashable, args: tuple[Term, ...]) -> bool:
        """Whether an operation has a value wherever these terms have one; an algebra says more of it."""
        return True

    def index(self, name: int) -> Term:
        """An index by name."""
        return self.make("index", name)

    def fresh(self) -> int:
        """The name of an index that no term has."""
        self._next += 1
        return self._next

    def bind(self, op: str, data: Hashable, args: tuple[Term, ...], over: Iterable[int]) -> Term:
        """A term that binds indices, in this order, by their lowest names."""
        over = tuple(over)
        names = lowest(frozenset().union(*(arg.free for arg in args)) - frozenset(over), len(over))
        new = {old: self.index(name) for old, name in zip(over, names, strict=True) if old != name}
        return self.make(op, data, tuple(self.put(arg, new) for arg in args), names)

    def put(self, term: Term, new: Mapping[int, Term]) -> Term:
        """The term with other terms for some of its free indices."""
        if term.free.isdisjoint(new):
            return term
        return drive(self._put(term, dict(new), {}))

    def _put(self, term: Term, new: dict[int, Term], done: dict[int, Term]) -> Work[Term]:
        if term.free.isdisjoint(new):
            return term
        if term.op == "index":
            assert isinstance(term.data, int)
            return new[term.data]
        found = done.get(id(term))
        if found is not None:
            return found
        self.spend()
        if not term.bound:
            args = []
            for arg in term.args:
                args.append((yield self._put(arg, new, done)))  # noqa: PERF401
            made = self.again(term, tuple(args))
        else:
            # Names apart from those that come in; then the lowest again.
            apart = {name: self.index(self.fresh()) for name in term.bound}
            inside, inner = {**new, **apart}, []
            known: dict[int, Term] = {}
            for arg in term.args:
                inner.append((yield self._put(arg, inside, known)))  # noqa: PERF401
            names = [index.data for index in apart.values()]
            made = self.rebind(term, tuple(inner), tuple(name for name in names if isinstance(name, int)))
        done[id(term)] = made
        return made

    def again(self, term: Term, args: tuple[Term, ...]) -> Term:
        """The operation of a term on other terms; an algebra says more of it."""
        return self.make(term.op, term.data, args)

    def rebind(self, term: Term, args: tuple[Term, ...], over: tuple[int, ...]) -> Term:
        """The operation of a term that binds indices on other terms."""
        return self.bind(term.op, term.data, args, over)


def _blind(op: str, data: Hashable, args: tuple[Term, ...]) -> bytes:
    """A digest without names of indices; the parts of sums and products have no order there."""
    match op, data:
        case "index", _:
            said: object = op
        case "poly", tuple():
            said = op, sorted(zip(map(str, data), (arg.blind for arg in args), strict=True))
        case "mono", (tuple() as powers, tuple() as sizes):
            said = op, sorted(zip(powers, (arg.blind for arg in args), strict=True)), sorted(sizes)
        case "fn", _:
            said = op, data, sorted(arg.blind for arg in args)
        case _:
            said = op, str(data), [arg.blind for arg in args]
    return blake2b(repr(said).encode(), digest_size=8).digest()


def lowest(free: frozenset[int], count: int) -> tuple[int, ...]:
    """The lowest names above all that are free."""
    first = max((name for name in free if name < FIRST_FREE), default=-1) + 1
    return tuple(range(first, first + count))
