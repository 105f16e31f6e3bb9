"""Sums of products: the arithmetic of terms in normal form, and functions of them that obey laws of their own.

Takes terms. A number is a sum of monomials with rational coefficients; a monomial is a product of powers, summed over
indices that it binds. Everything here is exact over the reals; of `x / x` it says nothing, for x may be zero. What was
used is noted by name in `used`.

    a = Algebra(10_000)
    a.add([(1, x), (1, y)]) is a.add([(1, y), (1, x)])
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

from catdl.laws.terms import Store, Term
from catdl.types.sizes import Size, show

Over: TypeAlias = tuple[tuple[int, str], ...]
Factors: TypeAlias = list[tuple[Term, int]]

PAIRS = 400
"""How many products a product of two sums may become; past them it stays a product of two sums."""

COMMUTATIVE = frozenset({"maximum", "minimum", "and", "or", "eq", "ne", "xor"})
IDEMPOTENT = frozenset({"maximum", "minimum", "and", "or"})
ASSOCIATIVE = IDEMPOTENT


class Algebra(Store):
    """Terms with the laws of arithmetic."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.used: dict[str, None] = {}
        self._one = self.make("mono", ((), ()))
        self.zero = self.make("poly", ())

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
        kept = sorted(((m, c) for m, c in found.items() if c), key=lambda pair: pair[0].digest)
        if len(kept) == 1 and kept[0][1] == 1:
            mono = kept[0][0]
            powers, _ = _shape(mono)
            if not mono.bound and powers == (1,):
                return mono.args[0]
        return self.make("poly", tuple(c for _, c in kept), tuple(m for m, _ in kept))

    # products

    def mul(self, left: Term, right: Term) -> Term:
        """A product, distributed over sums."""
        ls, rs = self.parts(left), self.parts(right)
        if len(ls) * len(rs) > PAIRS:
            return self._sum({self._mono((), [(left, 1), (right, 1)]): Fraction(1)})
        if len(ls) > 1 or len(rs) > 1:
            self.used["multiplication distributes over +"] = None
        found: dict[Term, Fraction] = {}
        for a, m in ls:
            for b, n in rs:
                over_m, factors_m = self._apart(m)
                over_n, factors_n = self._apart(n)
                mono = self._mono((*over_m, *over_n), [*factors_m, *factors_n])
                found[mono] = found.get(mono, Fraction(0)) + a * b
        return self._sum(found)

    def total(self, term: Term, name: int, size: Size) -> Term:
        """The sum of a term over one of its indices."""
        parts = self.parts(term)
        if len(parts) > 1:
            self.used["a sum over indices is linear"] = None
        count = self.size(size)
        out: list[tuple[Fraction | int, Term]] = []
        for coef, mono in parts:
            if name in mono.free:
                over, factors = self._apart(mono)
                if over:
                    self.used["sums over indices may change places"] = None
                out.append((coef, self._sum({self._mono((*over, (name, show(size))), factors): Fraction(1)})))
            else:
                self.used["the sum of n equal numbers is n times one"] = None
                out.append((coef, self.mul(count, self._sum({mono: Fraction(1)}))))
        return self.add(out)

    def power(self, term: Term, exponent: int) -> Term:
        """A whole power, above zero."""
        made = term
        for _ in range(exponent - 1):
            made = self.mul(made, term)
        return made

    def inverse(self, term: Term) -> Term:
        """One over a term."""
        parts = self.parts(term)
        if len(parts) != 1:
            return self._sum({self._mono((), [(term, -1)]): Fraction(1)})
        coef, mono = parts[0]
        over, factors = self._apart(mono)
        names = {name for name, _ in over}
        outside = [(f, -p) for f, p in factors if f.free.isdisjoint(names)]
        inside = [(f, p) for f, p in factors if not f.free.isdisjoint(names)]
        if inside:
            outside.append((self._sum({self._mono(over, inside): Fraction(1)}), -1))
        return self._sum({self._mono((), outside): 1 / coef})

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
        powers, sizes = _shape(mono)
        fresh = {name: self.fresh() for name in mono.bound}
        new = {name: self.index(other) for name, other in fresh.items()}
        factors = [(self.put(arg, new), power) for arg, power in zip(mono.args, powers, strict=True)]
        return tuple(zip(fresh.values(), sizes, strict=True)), factors

    def _mono(self, over: Over, factors: Factors) -> Term:
        """A monomial: equal factors as one power, bound indices in an order that does not depend on their names."""
        powers: dict[tuple[Term, bool], int] = {}
        for factor, power in factors:
            # x / x is not 1 where x is 0; an exponential never is.
            key = factor, power > 0 or _is_exp(factor)
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

    # functions

    def apply(self, name: str, args: Sequence[Term]) -> Term:
        """A pointwise function of numbers."""
        found = self._arithmetic(name, args)
        if found is not None:
            return found
        kept = list(args)
        if name in ASSOCIATIVE:
            kept = [inner for arg in kept for inner in (arg.args if (arg.op, arg.data) == ("fn", name) else (arg,))]
        if name in IDEMPOTENT:
            kept = list(dict.fromkeys(kept))
            if len(kept) == 1:
                self.used[f"{name} is idempotent"] = None
                return kept[0]
        if name in COMMUTATIVE:
            kept.sort(key=lambda arg: arg.digest)
        if name == "not" and (kept[0].op, kept[0].data) == ("fn", "not"):
            return kept[0].args[0]
        return self.make("fn", name, tuple(kept))

    def _arithmetic(self, name: str, args: Sequence[Term]) -> Term | None:
        match name:
            case "add":
                return self.add([(1, arg) for arg in args])
            case "sub":
                return self.add([(1, args[0]), (-1, args[1])])
            case "neg":
                return self.add([(-1, args[0])])
            case "mul":
                return self.mul(args[0], args[1])
            case "div":
                return self.mul(args[0], self.inverse(args[1]))
            case "reciprocal":
                return self.inverse(args[0])
            case "pow" if (value := self.value(args[1])) is not None and value.denominator == 1 and 1 <= value <= 8:
                return self.power(args[0], int(value))
            case "exp":
                return self._exp(args[0])
            case "log" if _is_exp(args[0]):
                self.used["log undoes exp"] = None
                return args[0].args[0]
            case _:
                return None

    def _exp(self, term: Term) -> Term:
        """The exponential of a sum is a product."""
        parts = self.parts(term)
        if len(parts) > 1:
            self.used["exp takes sums to products"] = None
        made = self.number(1)
        for coef, mono in parts:
            whole = coef.denominator == 1 and abs(coef) <= 8
            inner = self._sum({mono: Fraction(1) if whole else coef})
            factor = self.make("fn", "exp", (inner,))
            made = self.mul(made, self._sum({self._mono((), [(factor, int(coef) if whole else 1)]): Fraction(1)}))
        return made

    def reduce(self, name: str, term: Term, over: Sequence[tuple[int, Size]]) -> Term:
        """A reduction by a commutative monoid other than the sum: over indices that bind."""
        within = [(n, size) for n, size in over if n in term.free]
        if len(within) < len(over):
            if name in ("prod", "logsumexp"):
                within = list(over)
            else:
                self.used[f"the {name} of equal values is one of them"] = None
        if not within:
            return term
        if (term.op, term.data) == ("red", name) or (term.op == "red" and _name(term) == name):
            self.used[f"a {name} of a {name} is one {name}"] = None
            fresh = {n: self.fresh() for n in term.bound}
            new = {n: self.index(other) for n, other in fresh.items()}
            sizes = term.data[1] if isinstance(term.data, tuple) else ()
            inner = self.put(term.args[0], new)
            named = [*((n, show(size)) for n, size in within), *zip(fresh.values(), sizes, strict=True)]
            return self._red(name, inner, tuple(named))
        return self._red(name, term, tuple((n, show(size)) for n, size in within))

    def _red(self, name: str, term: Term, over: Over) -> Term:
        order = self._order(over, [(term, 1)])
        return self.bind("red", (name, tuple(size for _, size in order)), (term,), tuple(n for n, _ in order))

    # again, on other terms

    def again(self, term: Term, args: tuple[Term, ...]) -> Term:
        """The operation of a term on other terms, in normal form."""
        match term.op:
            case "poly":
                coefs = term.data
                assert isinstance(coefs, tuple)
                return self.add(zip(coefs, args, strict=True))
            case "mono":
                powers, _ = _shape(term)
                return self._product(args, powers)
            case "fn":
                return self.apply(str(term.data), args)
            case _:
                return self.simplified(term.op, term.data, args)

    def simplified(self, op: str, data: Hashable, args: tuple[Term, ...]) -> Term:
        """An operation without laws of arithmetic."""
        return self.make(op, data, args)

    def _product(self, args: Sequence[Term], powers: Sequence[int]) -> Term:
        made = self.number(1)
        for arg, power in zip(args, powers, strict=True):
            one = self.inverse(arg) if power < 0 else arg
            for _ in range(abs(power)):
                made = self.mul(made, one)
        return made

    def rebind(self, term: Term, args: tuple[Term, ...], over: tuple[int, ...]) -> Term:
        """The operation of a term that binds indices on other terms, in normal form."""
        match term.op:
            case "mono":
                powers, sizes = _shape(term)
                product = self._product(args, powers)
                out: list[tuple[Fraction | int, Term]] = []
                for coef, mono in self.parts(product):
                    inner, factors = self._apart(mono)
                    whole = self._mono((*inner, *zip(over, sizes, strict=True)), factors)
                    out.append((coef, self._sum({whole: Fraction(1)})))
                return self.add(out)
            case "red":
                assert isinstance(term.data, tuple)
                return self._red(_name(term), args[0], tuple(zip(over, term.data[1], strict=True)))
            case _:
                return self.bind(term.op, term.data, args, over)


def _shape(mono: Term) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The powers of a monomial's factors and the sizes that it sums over."""
    data = mono.data
    assert isinstance(data, tuple)
    return data[0], data[1]


def _name(reduction: Term) -> str:
    data = reduction.data
    assert isinstance(data, tuple)
    return str(data[0])


def _is_exp(term: Term) -> bool:
    return (term.op, term.data) == ("fn", "exp")
