"""Sums of products: the arithmetic of terms in normal form.

Takes terms. A number is a sum of monomials with rational coefficients; a monomial is a product of powers, summed over
indices that it binds. Everything here is exact over the reals; of `x / x` it says nothing, for x may be zero, and
`1 / x - 1 / x` stays `0 · x^-1`. Each law that was used is noted in `used`, with the first terms that it was used on.

    a = Algebra(10_000)
    a.add([(1, x), (1, y)]) is a.add([(1, y), (1, x)])
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

from catdl.laws.terms import FIRST_DRAW, Store, Term
from catdl.record import record
from catdl.types.sizes import Size, show

Over: TypeAlias = tuple[tuple[int, str], ...]
Factors: TypeAlias = list[tuple[Term, int]]

DEEP = 4
"""How many sums in one another are looked into to see that a number is positive."""

PAIRS = 400
"""How many products a product of two sums may become; past them it stays a product of two sums."""


@record
class Used:
    """A law on terms: the text of what it was used on, with a place for each of `terms`, and what came of it."""

    text: str
    terms: tuple[Term, ...]
    after: Term | None


class Algebra(Store):
    """Terms with the laws of arithmetic."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.used: dict[str, Used] = {}
        self._one = self.make("mono", ((), ()))
        self.zero = self.make("poly", ())

    def note(self, law: str, text: str, terms: tuple[Term, ...] = (), after: Term | None = None) -> None:
        """Say that a law was used, and on what."""
        self.used.setdefault(law, Used(text, terms, after))

    # sums

    def number(self, value: Fraction | int) -> Term:
        """A rational number."""
        return self._sum({self._one: Fraction(value)})

    def size(self, size: Size) -> Term:
        """A size as a number."""
        return self.number(size) if isinstance(size, int) else self.make("size", show(size))

    def parts(self, term: Term) -> list[tuple[Fraction, Term]]:
        """The monomials of a term with their coefficients."""
        if term.op == "poly":
            coefs = term.data
            assert isinstance(coefs, tuple)
            return list(zip(coefs, term.args, strict=True))
        return [(Fraction(1), self._mono((), [(term, 1)]))]

    def value(self, term: Term) -> Fraction | None:
        """The number that a term is, if it is one."""
        parts = self.parts(term)
        if not parts:
            return Fraction(0)
        return parts[0][0] if len(parts) == 1 and parts[0][1] is self._one else None

    def add(self, terms: Iterable[tuple[Fraction | int, Term]]) -> Term:
        """A sum of terms with coefficients."""
        found: dict[Term, Fraction] = {}
        for coef, term in terms:
            for inner, mono in self.parts(term):
                found[mono] = found.get(mono, Fraction(0)) + coef * inner
        return self._sum(found)

    def _sum(self, found: dict[Term, Fraction]) -> Term:
        kept = sorted(((m, c) for m, c in found.items() if c or not m.total), key=lambda pair: pair[0].digest)
        if len(kept) == 1 and kept[0][1] == 1:
            mono = kept[0][0]
            powers, _ = shape(mono)
            if not mono.bound and powers == (1,):
                return mono.args[0]
        return self.make("poly", tuple(c for _, c in kept), tuple(m for m, _ in kept))

    # products

    def mul(self, left: Term, right: Term) -> Term:
        """A product, distributed over sums."""
        nothing = [(Fraction(0), self._one)]  # that times what may have no value may have none
        ls, rs = self.parts(left) or nothing, self.parts(right) or nothing
        if len(ls) * len(rs) > PAIRS:
            return self._sum({self._mono((), [(left, 1), (right, 1)]): Fraction(1)})
        found: dict[Term, Fraction] = {}
        for a, m in ls:
            for b, n in rs:
                over_m, factors_m = self._apart(m)
                over_n, factors_n = self._apart(n)
                mono = self._mono((*over_m, *over_n), [*factors_m, *factors_n])
                found[mono] = found.get(mono, Fraction(0)) + a * b
        made = self._sum(found)
        if len(ls) > 1 or len(rs) > 1:
            self.note("multiplication distributes over +", "({}) · ({})", (left, right), made)
        return made

    def total(self, term: Term, name: int, size: Size) -> Term:
        """The sum of a term over one of its indices."""
        parts = self.parts(term)
        count = self.size(size)
        out: list[tuple[Fraction | int, Term]] = []
        laws: list[str] = []
        for coef, mono in parts:
            if name in mono.free:
                over, factors = self._apart(mono)
                if over:
                    laws.append("sums over indices may change places")
                out.append((coef, self._sum({self._mono((*over, (name, show(size))), factors): Fraction(1)})))
            else:
                laws.append("the sum of n equal numbers is n times one")
                out.append((coef, self.mul(count, self._sum({mono: Fraction(1)}))))
        made = self.add(out)
        for law in (["a sum over indices is linear"] if len(parts) > 1 else []) + laws:
            self.note(law, "Σ {} ({})", (self.index(name), term), made)
        return made

    def power(self, term: Term, exponent: int) -> Term:
        """A whole power, above zero."""
        made = term
        for _ in range(exponent - 1):
            made = self.mul(made, term)
        return made

    def inverse(self, term: Term) -> Term:
        """One over a term."""
        parts = self.parts(term)
        if len(parts) != 1 or not parts[0][0]:
            return self._sum({self._mono((), [(term, -1)]): Fraction(1)})
        coef, mono = parts[0]
        over, factors = self._apart(mono)
        names = {name for name, _ in over}
        outside = [(f, -p) for f, p in factors if f.free.isdisjoint(names)]
        inside = [(f, p) for f, p in factors if not f.free.isdisjoint(names)]
        if inside:
            outside.append((self._sum({self._mono(over, inside): Fraction(1)}), -1))
        return self._sum({self._mono((), outside): 1 / coef})

    def defined(self, op: str, data: Hashable, args: tuple[Term, ...]) -> bool:
        """Whether an operation has a value wherever these terms have one: one over a term where that is not zero."""
        if op != "mono" or not isinstance(data, tuple):
            return True
        return all(power > 0 or self.positive(arg) for arg, power in zip(args, data[0], strict=True))

    def positive(self, term: Term, deep: int = DEEP) -> bool:
        """Whether it is known to be positive: sums of products of exponentials and of such sums."""
        if is_exp(term) or term.op == "size":
            return True
        if deep == 0 or term.op != "poly":
            return False
        factors = [factor for mono in term.args for factor in mono.args]
        signed = any(coef <= 0 for coef, _ in self.parts(term))
        return bool(term.args) and not signed and all(self.positive(factor, deep - 1) for factor in factors)

    def over_size(self, mono: Term, count: Term) -> Term:
        """A monomial divided by a size, which is not zero."""
        over, factors = self._apart(mono)
        if (count, 1) in factors:
            factors.remove((count, 1))
        else:
            factors.append((count, -1))
        return self._sum({self._mono(over, factors): Fraction(1)})

    def _apart(self, mono: Term) -> tuple[Over, Factors]:
        """A monomial with names of its own for what it binds."""
        powers, sizes = shape(mono)
        fresh = {name: self.fresh() for name in mono.bound}
        new = {name: self.index(other) for name, other in fresh.items()}
        factors = [(self.put(arg, new), power) for arg, power in zip(mono.args, powers, strict=True)]
        return tuple(zip(fresh.values(), sizes, strict=True)), factors

    def _mono(self, over: Over, factors: Factors) -> Term:
        """A monomial: equal factors as one power, bound indices in an order that does not depend on their names."""
        powers: dict[tuple[Term, bool], int] = {}
        for factor, power in factors:
            # x / x is not 1 where x is 0; an exponential never is.
            key = factor, power > 0 or is_exp(factor)
            powers[key] = powers.get(key, 0) + power
        kept = [(factor, power) for (factor, _), power in powers.items() if power]
        order = self._order(over, kept)
        names = tuple(name for name, _ in order)
        marked = {name: self.make("mark", place) for place, name in enumerate(names)}
        kept.sort(key=lambda pair: (self.put(pair[0], marked).digest, pair[1]))
        data: Hashable = (tuple(power for _, power in kept), tuple(size for _, size in order))
        args = tuple(factor for factor, _ in kept)
        return self.bind("mono", data, args, names) if names else self.make("mono", data, args)

    def _order(self, over: Over, factors: Factors) -> Over:
        """Bound indices by where they occur: colours are refined until they tell all apart, or nothing more is told."""
        if len(over) < 2:
            return over
        colour = dict(over)
        order = list(over)
        for _ in over:
            marks = {name: self.make("mark", colour[name]) for name in colour}
            shown: dict[str, str] = {}
            for name, _ in over:
                here = {**marks, name: self.make("mark", "here")}
                found = sorted(self.put(f, here).digest.hex() + str(p) for f, p in factors if name in f.free)
                shown[name] = f"{colour[name]} {' '.join(found)}"  # type: ignore[index]
            ranks = {text: rank for rank, text in enumerate(sorted(set(shown.values())))}
            order = sorted(over, key=lambda pair: shown[pair[0]])  # type: ignore[index]
            if len(ranks) == len(over):
                return tuple(order)
            fresh = {name: f"{ranks[shown[name]]}" for name, _ in over}  # type: ignore[index]
            if len(set(fresh.values())) == len(set(colour.values())):
                first = next(n for n, _ in order if sum(fresh[n] == v for v in fresh.values()) > 1)
                fresh[first] += "'"  # those of one class mostly cannot be told apart at all: any may come first
            colour = fresh
        return tuple(order)

    def _product(self, args: Sequence[Term], powers: Sequence[int]) -> Term:
        made = self.number(1)
        for arg, power in zip(args, powers, strict=True):
            one = self.inverse(arg) if power < 0 else arg
            for _ in range(abs(power)):
                made = self.mul(made, one)
        return made

    def settled(self, results: Sequence[Term]) -> list[Term]:
        """Results with the boxes that draw numbered by where they are read, for independent draws have no order."""
        names = sorted({name for term in results for name in term.free if name >= FIRST_DRAW})
        if not names:
            return list(results)
        told = [self.make("result", k, (term,)) for k, term in enumerate(results)]
        order = self._order(tuple((name, "") for name in names), [(term, 1) for term in told])
        if [name for name, _ in order] != names:
            self.note("independent draws may change places", "", (), None)
        new = {name: self.make("drawn", k) for k, (name, _) in enumerate(order)}
        return [self.put(term, new) for term in results]


def shape(mono: Term) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The powers of a monomial's factors and the sizes that it sums over."""
    data = mono.data
    assert isinstance(data, tuple)
    return data[0], data[1]


def is_exp(term: Term) -> bool:
    """Whether it is an exponential."""
    return (term.op, term.data) == ("fn", "exp")
