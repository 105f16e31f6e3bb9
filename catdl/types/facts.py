"""What is known of the dims: divisibility, bounds and equations, brought into a form that decisions use.

Takes sizes from `poly` and `floors`.  Guarantees: a `Facts` knows for every dim its least and greatest value and a
number that divides it, eliminates the dims that its equations determine, and checks all other facts at one assignment.

Example: `Facts(divides=((16, sym("H")),))` says `where 16 | H`; then `H // 2` is `H / 2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd, lcm
from typing import Final

from catdl.record import field, record
from catdl.types.floors import denominator
from catdl.types.poly import (
    ONE,
    Mono,
    Poly,
    Size,
    SizeDividesByZero,
    Sym,
    from_terms,
    terms_of,
)
from catdl.types.rebuild import free_syms, normal, substitute, value_of
from catdl.types.ring import neg, scale, sub


@record
class Bound:
    """`left op right` as it is written, with op one of `|` (divides), `==`, `>=`, `<=`, `>`, `<`."""

    left: Size
    op: str
    right: Size


@record
class Facts:
    """Facts about dims.  Every dim is at least 1, those in `may_be_zero` at least 0.

    `stated` has the facts that an input may break, as they are written; but for divisibility by a number.
    """

    divides: tuple[tuple[int, Size], ...] = ()
    at_least: tuple[tuple[Size, int], ...] = ()
    equations: tuple[tuple[Size, Size], ...] = ()
    may_be_zero: frozenset[str] = frozenset()
    stated: tuple[Bound, ...] = ()
    _steps: dict[str, int] = field(default_factory=dict, init=False)
    _lows: dict[str, int] = field(default_factory=dict, init=False)
    _highs: dict[str, int] = field(default_factory=dict, init=False)
    _solved: dict[str, Size] = field(default_factory=dict, init=False)
    _fixed: dict[str, int] = field(default_factory=dict, init=False)  # those that equations determine as a number
    _moduli: list[tuple[int, Poly]] = field(default_factory=list, init=False)
    _tied: set[str] = field(default_factory=set, init=False)
    _groups: list[frozenset[str]] = field(default_factory=list, init=False)
    _zeros: list[Size] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        for left, right in self.equations:
            self._orient(self.reduce(sub(normal(left), normal(right))))
        self._fixed.update((name, size) for name, size in self._solved.items() if isinstance(size, int))
        for divisor, size in self.divides:
            self._divide(divisor, self.reduce(size))
        for size, bound in self.at_least:
            self._bound(self.reduce(size), bound)
        written = [size for _, size in self.divides] + [size for size, _ in self.at_least]
        written += [sub(left, right) for left, right in self.equations]
        self._groups.extend(names for names in map(free_syms, written) if len(names) > 1)

    def _orient(self, difference: Size) -> None:
        """Read `difference = 0` as `dim = value` where a dim stands alone with a coefficient that divides the rest.

        Where none does, as in `(T // S) // P == T // (S * P)`, it is kept as it is said.
        """
        if isinstance(difference, int):
            return
        names = sorted(difference.syms, reverse=True)
        for name in names:
            mono = Mono(((Sym(name), 1),))
            coef = dict(difference.terms).get(mono)
            if coef is None:
                continue
            value = scale(from_terms({m: c for m, c in difference.terms if m != mono}), Fraction(-1) / coef)
            if denominator(value) == 1 and name not in free_syms(value):
                for other, old in self._solved.items():
                    self._solved[other] = substitute(old, {name: value})
                self._solved[name] = value
                return
        self._zeros.append(difference)

    def _divide(self, divisor: int, size: Size) -> None:
        common = denominator(size)
        divisor = abs(divisor) * common
        size = from_terms({mono: coef % divisor for mono, coef in terms_of(scale(size, common))}) if divisor else size
        if isinstance(size, int) or not divisor:
            return
        mono, coef = size.terms[0]
        atom = mono.pairs[0][0]
        if len(size.terms) == 1 and mono.degree == 1 and isinstance(atom, Sym):
            step = divisor // gcd(divisor, coef.numerator)
            self._steps[atom.name] = lcm(step, self.step(atom.name))
        else:
            self._moduli.append((divisor, size))
            self._tied.update(size.syms)

    def _bound(self, size: Size, bound: int) -> None:
        if isinstance(size, int):
            return
        constant = dict(size.terms).get(ONE, 0)
        linear = sub(size, constant) if isinstance(constant, int) else size
        if isinstance(linear, Poly) and len(linear.terms) == 1 and linear.terms[0][0].degree == 1:
            mono, coef = linear.terms[0]
            atom = mono.pairs[0][0]
            if isinstance(atom, Sym):
                limit = Fraction(bound - constant) / coef
                if coef > 0:
                    self._lows[atom.name] = max(self.low(atom.name), -(-limit.numerator // limit.denominator))
                else:
                    self._highs[atom.name] = min(self.high(atom.name, limit), limit.numerator // limit.denominator)

    def step(self, name: str) -> int:
        """A number that divides the dim."""
        return self._steps.get(name, 1)

    def low(self, name: str) -> int:
        """The least value of the dim; 0 for the stand-ins of `decide`, whose names begin with `?`."""
        return self._lows.get(name, 0 if name in self.may_be_zero or name.startswith("?") else 1)

    def high(self, name: str, default: int | Fraction) -> int:
        """The greatest value of the dim."""
        return self._highs.get(name, int(default))

    def is_bounded(self, name: str) -> bool:
        """Whether the dim has a greatest value."""
        return name in self._highs

    @property
    def moduli(self) -> list[tuple[int, Poly]]:
        """The divisibility facts about more than one dim."""
        return self._moduli

    @property
    def tied(self) -> set[str]:
        """The dims in `moduli`."""
        return self._tied

    def reduce(self, size: Size) -> Size:
        """The size, with the dims that equations determine replaced."""
        return substitute(normal(size), self._solved)

    def is_said(self, size: Size) -> bool:
        """Whether an equation says of this reduced size that it is zero."""
        return any(size in (zero, neg(zero)) for zero in map(self.reduce, self._zeros))

    def guaranteed(self, mono: Mono) -> int:
        """A number that divides the monomial."""
        product = 1
        if self._steps:
            for atom, exponent in mono.pairs:
                if isinstance(atom, Sym):
                    product *= self.step(atom.name) ** exponent
        return product

    def first(self, name: str) -> int:
        """The least admissible value of a dim that stands in no relation."""
        step = self.step(name)
        return -(-self.low(name) // step) * step

    def scope(self, names: Iterable[str]) -> list[str]:
        """These dims and all that facts tie to them, without those that equations determine."""
        found = self._closure(names)
        return sorted(name for name in found if name not in self._solved)

    def _closure(self, names: Iterable[str]) -> set[str]:
        found = set(names)
        groups = self._groups
        while True:
            rest = [group for group in groups if found.isdisjoint(group)]
            if len(rest) == len(groups):
                return found
            for group in groups:
                if not found.isdisjoint(group):
                    found |= group
            groups = [group for group in rest if not group <= found]

    def complete(self, env: Mapping[str, int]) -> dict[str, int] | None:
        """The admissible assignment that extends one of a scope by the determined dims; None if there is none."""
        full = {**self._fixed, **env}
        names = self._closure(env) if self._groups else set(env)
        try:
            for name in sorted(names & self._solved.keys()):
                value = value_of(self._solved[name], env)
                if not isinstance(value, int):
                    return None
                full[name] = value
            return full if self._holds(full) else None
        except SizeDividesByZero:
            return None

    def _holds(self, env: Mapping[str, int]) -> bool:
        for name, value in env.items():
            if value < self.low(name) or value % self.step(name) or value > self.high(name, value):
                return False
        for divisor, size in self.divides:
            if divisor and free_syms(size) <= env.keys() and value_of(normal(size), env) % divisor:
                return False
        for size, bound in self.at_least:
            if free_syms(size) <= env.keys() and value_of(normal(size), env) < bound:
                return False
        for left, right in self.equations:
            if free_syms(left) | free_syms(right) <= env.keys() and value_of(sub(normal(left), normal(right)), env):
                return False
        return True


NO_FACTS: Final = Facts()


def not_negative(bound: Bound) -> Size | None:
    """The size that is not negative just when an inequality holds; None for an equation and for divisibility."""
    left, right = normal(bound.left), normal(bound.right)
    match bound.op:
        case ">=":
            return sub(left, right)
        case ">":
            return sub(sub(left, right), 1)
        case "<=":
            return sub(right, left)
        case "<":
            return sub(sub(right, left), 1)
        case _:
            return None
