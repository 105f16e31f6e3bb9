"""A key map found by looking at both sides: what goes where by shape, by name or by number, and what stays open.

Takes the forms of both sides by key. Guarantees: each tensor of either side is in one line or among the open ones;
nothing is paired where two answers are as good; every line says what it was paired by. The steps, each with what the
one before leaves: keys that are equal; modules with the same leaves, with all their rounds at once; those that only
their neighbours tell apart; modules that hold several of the others', one after the other (`qkv`, named by their first
letters); modules one by one; single tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from catdl.record import record, replace
from catdl.weights.families import Family as AnyFamily
from catdl.weights.families import families
from catdl.weights.fit import Plan
from catdl.weights.held import Form, without_ones
from catdl.weights.keymap import Line, Piece
from catdl.weights.names import likeness, words
from catdl.weights.orient import Turned, turned

NOTHING = Plan()
_MANY = 40_000  # comparisons by name, or by neighbour, for what holds the same


@record
class Open:
    """Keys of the morphism for which several of the file are as good; `turned`: or one, as it is and transposed."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    turned: bool = False


@record
class Proposal:
    """Lines in the order of the morphism, what is not decided, and the keys that have no counterpart at all."""

    lines: tuple[Line, ...]
    open: tuple[Open, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]


Family: TypeAlias = AnyFamily[Form]
_Pair: TypeAlias = tuple[Family, Family, str]


def propose(ours: Mapping[str, Form], theirs: Mapping[str, Form], given: Plan = NOTHING) -> Proposal:
    """The map from the tensors of a file to those of a morphism, where a plan is given for some of them."""
    return _Search(ours, theirs, given).run()


class _Search:
    def __init__(self, ours: Mapping[str, Form], theirs: Mapping[str, Form], given: Plan) -> None:
        self.order = {key: i for i, key in enumerate(ours)}
        self.stored = {key: i for i, key in enumerate(theirs)}
        self.turned: Turned = turned(theirs)
        used = given.used
        left = {key: form for key, form in theirs.items() if key not in used}
        wanted = {key: form for key, form in ours.items() if key not in given.made}
        told = self.turned.keys | self.turned.unsure  # of these an equal shape says nothing
        self.same = {key: form for key, form in wanted.items() if left.get(key) == form and key not in told}
        self.ours = families({key: form for key, form in wanted.items() if key not in self.same}, ours)
        others = {key: form for key, form in left.items() if key not in self.same}
        self.theirs = _each(families({key: self.form(key, form) for key, form in others.items()}, theirs), self.alike)
        self.lines: list[tuple[int, Line]] = []
        self.open: list[Open] = []
        self.pairs: list[_Pair] = []
        self.undecided: list[tuple[list[Family], list[Family]]] = []

    def form(self, key: str, form: Form) -> Form:
        """What a tensor of the file is when it stands as torch keeps it."""
        return replace(form, shape=form.shape[::-1]) if key in self.turned.keys else form

    def alike(self, family: Family) -> list[Family]:
        """A family of the file, in one if what holds for its first member holds for all."""
        told = (self.turned.keys, self.turned.unsure)
        one = all(len({key in keys for key in family.keys(leaf)}) == 1 for leaf, _ in family.leaves for keys in told)
        return [family] if one else family.members()

    def run(self) -> Proposal:
        for family in families(self.same, (*self.order, *self.stored)):
            for leaf, form in family.leaves:
                self.add(family, leaf, (Piece(family.key(leaf)),), form, "the same key")
        self.pair()
        self.settle()
        self.fuse()
        self.split()
        self.ours, self.theirs = _each(self.ours, Family.members), _each(self.theirs, Family.members)
        self.pair()
        self.ours, self.theirs = _each(self.ours, Family.parts), _each(self.theirs, Family.parts)
        self.pair()
        self.settle()
        for mine, others in self.undecided:
            self.open += _open(mine, others)
        lines = [line for _, line in sorted(self.lines, key=lambda item: item[0])]
        missing = sorted(_keys(self.ours), key=self.order.__getitem__)
        extra = sorted(_keys(self.theirs), key=self.stored.__getitem__)
        return Proposal(tuple(lines), tuple(self.open), tuple(missing), tuple(extra))

    def add(self, family: Family, leaf: str, pieces: tuple[Piece, ...], form: Form, why: str) -> None:
        """A line for a leaf of the morphism."""
        times = len(family.numbers)
        note = f"{f'{times} of ' if times > 1 else ''}{list(form.shape)}, by {why}"
        self.lines.append((self.order[family.keys(leaf)[0]], Line(family.key(leaf), pieces, note)))

    def pair(self) -> None:
        """Pair the families that hold the same leaves, as many times."""
        pairs: list[_Pair] = []
        left: list[Family] = []
        theirs = _by_leaves(self.theirs)
        for key, mine in _by_leaves(self.ours).items():
            found = _paired(mine, theirs.get(key, []))
            pairs += found
            mine, others = _without(found, mine, theirs.pop(key, []))
            if mine and others:
                self.undecided.append((mine, others))
            else:
                left += mine
                theirs[key] = others
        self.ours = left
        self.theirs = [family for group in theirs.values() for family in group]
        self.take_pairs(pairs)

    def settle(self) -> None:
        """Pair what sounds alike by the company that it keeps: what stands around it has found its place by now."""
        undecided, self.undecided = self.undecided, []
        known = [(mine.pattern, other.pattern) for mine, other, _ in self.pairs]
        for mine, others in undecided:
            found = _by_company(mine, others, known) if len(mine) * len(others) * len(known) <= 10 * _MANY else []
            self.take_pairs(found)
            mine, others = _without(found, mine, others)
            if mine and others:
                self.undecided.append((mine, others))
            else:
                self.ours += mine
                self.theirs += others

    def take_pairs(self, pairs: list[_Pair]) -> None:
        self.pairs += pairs
        for mine, other, why in pairs:
            self.line_of(mine, other, why)

    def line_of(self, mine: Family, other: Family, why: str) -> None:
        """The lines of a pair. A square matrix that may stand either way is left open."""
        for (leaf, form), (name, _) in zip(_sorted(mine), _sorted(other), strict=True):
            if self.unsure(other, name):
                self.open.append(Open(tuple(mine.keys(leaf)), tuple(other.keys(name)), turned=True))
            else:
                self.add(mine, leaf, (self.piece(other, name),), form, why)

    def unsure(self, family: Family, leaf: str) -> bool:
        return not self.turned.unsure.isdisjoint(family.keys(leaf))

    def piece(self, family: Family, leaf: str, cut: tuple[int, int] | None = None) -> Piece:
        return Piece(family.key(leaf), family.keys(leaf)[0] in self.turned.keys, cut)

    def fuse(self) -> None:
        """Modules of the morphism that hold several of the file's, whose first letters are their name."""
        for mine, parts in _fused(self.ours, self.theirs):
            if any(self.unsure(part, leaf) for part in parts for leaf, _ in part.leaves):
                continue
            for leaf, form in mine.leaves:
                pieces = tuple([self.piece(part, leaf) for part in parts])
                self.add(mine, leaf, pieces, form, "name")
            self.take([mine], parts)

    def split(self) -> None:
        """The same the other way round: a module of the file that holds several of the morphism's."""
        for other, parts in _fused(self.theirs, self.ours):
            if any(self.unsure(other, leaf) for leaf, _ in other.leaves):
                continue
            for leaf, _ in other.leaves:
                start = 0
                for part in parts:
                    form = dict(part.leaves)[leaf]
                    piece = self.piece(other, leaf, (start, start + form.shape[0]))
                    self.add(part, leaf, (piece,), form, "name")
                    start += form.shape[0]
            self.take(parts, [other])

    def take(self, ours: list[Family], theirs: list[Family]) -> None:
        taken = {id(family) for family in (*ours, *theirs)}
        self.ours = [family for family in self.ours if id(family) not in taken]
        self.theirs = [family for family in self.theirs if id(family) not in taken]


def _each(found: Iterable[Family], parts: Callable[[Family], list[Family]]) -> list[Family]:
    return [part for family in found for part in parts(family)]


def _open(ours: list[Family], theirs: list[Family]) -> list[Open]:
    """What is open between families that hold the same, leaf by leaf."""
    mine, others = (list(zip(*map(_sorted, side), strict=True)) for side in (ours, theirs))
    return [
        Open(
            tuple([key for family, (leaf, _) in zip(ours, a, strict=True) for key in family.keys(leaf)]),
            tuple([key for family, (leaf, _) in zip(theirs, b, strict=True) for key in family.keys(leaf)]),
        )
        for a, b in zip(mine, others, strict=True)
    ]


def _shown(family: Family) -> str:
    """What a family is called: its key where it holds one leaf, else that of the module."""
    return family.key(family.leaves[0][0]) if len(family.leaves) == 1 else ".".join(family.pattern)


def _keys(found: Iterable[Family]) -> list[str]:
    return [key for family in found for leaf, _ in family.leaves for key in family.keys(leaf)]


def _sorted(family: Family) -> list[tuple[str, Form]]:
    return sorted(family.leaves, key=_name)


def _name(leaf: tuple[str, Form]) -> str:
    return leaf[0]


_Leaves: TypeAlias = tuple[object, ...]


def _by_leaves(found: list[Family]) -> dict[_Leaves, list[Family]]:
    """Families by what they hold and how often; the name of an only leaf and axes of one do not matter."""
    out: dict[_Leaves, list[Family]] = {}
    for family in found:
        only = len(family.leaves) == 1
        leaves = tuple(
            [("" if only else name, form.stored, without_ones(form.shape)) for name, form in _sorted(family)]
        )
        out.setdefault((leaves, family.numbers), []).append(family)
    return out


def _without(pairs: list[_Pair], ours: list[Family], theirs: list[Family]) -> tuple[list[Family], list[Family]]:
    """What pairs leave of both sides."""
    taken = {id(family) for mine, other, _ in pairs for family in (mine, other)}
    return [each for each in ours if id(each) not in taken], [each for each in theirs if id(each) not in taken]


def _paired(ours: list[Family], theirs: list[Family]) -> list[_Pair]:
    """Pairs of families that hold the same, as far as there is one answer."""
    if len(ours) == len(theirs) == 1:
        return [(ours[0], theirs[0], "shape")]
    pairs = _by_name(ours, theirs) if len(ours) * len(theirs) <= _MANY else []
    mine, rest = _without(pairs, ours, theirs)
    if len(mine) == len(rest) == 1:
        pairs.append((mine[0], rest[0], "what is left"))
    elif len(mine) == len(rest) and len({family.stem for family in mine}) == len({other.stem for other in rest}) == 1:
        mine, rest = sorted(mine, key=_series), sorted(rest, key=_series)
        pairs += [(a, b, "number") for a, b in zip(mine, rest, strict=True)]
    return pairs


def _series(family: Family) -> tuple[int, ...]:
    return family.series


def _by_name(ours: list[Family], theirs: list[Family]) -> list[_Pair]:
    """Those that sound like each other more than like any other."""
    mine = [words(_shown(family)) for family in ours]
    others = [words(_shown(family)) for family in theirs]
    score = [[likeness(a, b) for b in others] for a in mine]
    return [(ours[i], theirs[j], "name") for i, j in _mutual(score)]


def _by_company(
    ours: list[Family], theirs: list[Family], known: list[tuple[tuple[str, ...], tuple[str, ...]]]
) -> list[_Pair]:
    """Those that stand near the same pairs: where one is nearer than its fellows, so is the other."""
    score = [[0] * len(theirs) for _ in ours]
    for pattern, other in known:
        left, right = _nearer(ours, pattern), _nearer(theirs, other)
        for row, near in zip(score, left, strict=True):
            for j, also in enumerate(right):
                row[j] += near * also
    pairs = [(ours[i], theirs[j], "neighbours") for i, j in _mutual(score)]
    mine, rest = _without(pairs, ours, theirs)
    return [*pairs, (mine[0], rest[0], "what is left")] if len(mine) == len(rest) == 1 else pairs


def _nearer(families: list[Family], pattern: tuple[str, ...]) -> list[int]:
    """How many more segments each has in common with a pattern than all of them on average, times their number."""
    common = [_common(family.pattern, pattern) for family in families]
    total = sum(common)
    return [len(common) * each - total for each in common]


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many segments two patterns begin with alike."""
    differ = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differ, min(len(one), len(other)))


def _mutual(score: list[list[int]]) -> list[tuple[int, int]]:
    """Rows and columns that are each other's only best, above 0; then the same among the rest, and so on."""
    rows, columns = set(range(len(score))), set(range(len(score[0]) if score else 0))
    pairs: list[tuple[int, int]] = []
    while True:
        best = {j: _best((score[i][j], i) for i in rows) for j in columns}
        found = [
            (i, j) for i in sorted(rows) if (j := _best((score[i][j], j) for j in columns)) is not None and best[j] == i
        ]
        if not found:
            return pairs
        pairs += found
        rows -= {i for i, _ in found}
        columns -= {j for _, j in found}


def _best(scores: Iterable[tuple[int, int]]) -> int | None:
    """The place of the highest score, if it is above 0 and no other is as high."""
    ranked = sorted(scores, reverse=True)[:2]
    if not ranked or ranked[0][0] == 0 or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return ranked[0][1]


def _fused(wholes: list[Family], parts: list[Family]) -> list[tuple[Family, list[Family]]]:
    """Families with the parts that their name spells by first letters, as `qkv` does `query`, `key`, `value`."""
    beside: dict[tuple[object, ...], list[Family]] = {}
    for part in parts:
        beside.setdefault((part.pattern[:-1], part.numbers), []).append(part)
    out: list[tuple[Family, list[Family]]] = []
    taken: set[int] = set()
    for whole in wholes:
        found = [
            chosen
            for (_, numbers), siblings in beside.items()
            if numbers == whole.numbers and (chosen := _spelt(whole, siblings)) and taken.isdisjoint(map(id, chosen))
        ]
        if len(found) == 1:
            taken.update(map(id, found[0]))
            out.append((whole, found[0]))
    return out


def _spelt(whole: Family, siblings: list[Family]) -> list[Family] | None:
    for word in words(whole.pattern[-1]):
        if not 2 <= len(word) <= len(siblings):
            continue
        chosen = [
            [part for part in siblings if part.pattern[-1].lower().startswith(letter) and _fits(whole, part)]
            for letter in word
        ]
        if all(len(part) == 1 for part in chosen):
            parts = [part[0] for part in chosen]
            if len(set(map(id, parts))) == len(parts) and all(
                sum(dict(part.leaves)[leaf].shape[0] for part in parts) == form.shape[0] for leaf, form in whole.leaves
            ):
                return parts
    return None


def _fits(whole: Family, part: Family) -> bool:
    """Whether a part has the same leaves, of the same shapes but for the first axis."""
    mine, its = dict(whole.leaves), dict(part.leaves)
    return mine.keys() == its.keys() and all(
        len(mine[leaf].shape) == len(its[leaf].shape) > 0
        and mine[leaf].shape[1:] == its[leaf].shape[1:]
        and mine[leaf].stored == its[leaf].stored
        for leaf in mine
    )
