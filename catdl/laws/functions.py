"""Functions and reductions of terms, in normal form by laws of their own.

Takes sums of products. The exponential takes sums to products; odd functions let signs out; reductions leave what
they do not bind, and functions that keep the order of numbers let the largest and the smallest through.

    f.reduce("max", relu(x), over i)      relu(the max of x over i)
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction

from catdl.laws.algebra import Algebra, Over, is_exp, shape
from catdl.laws.terms import Term
from catdl.types.poly import Mono, Poly, Sym
from catdl.types.ragged import is_ragged
from catdl.types.sizes import Size, show

COMMUTATIVE = frozenset({"maximum", "minimum", "and", "or", "eq", "ne", "xor"})
IDEMPOTENT = frozenset({"maximum", "minimum", "and", "or"})
ASSOCIATIVE = IDEMPOTENT
ODD = frozenset({"sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf", "erfinv", "sign"})
EVEN = frozenset({"abs", "cos", "cosh"})
RISING = frozenset(
    {"exp", "expm1", "sinh", "tanh", "asinh", "atan", "erf", "sigmoid", "softplus", "floor", "ceil", "sign"}
)
"""Functions of all real numbers that keep their order."""

CHOICES = frozenset({"where", "training"})
"""Functions that give one of their last two arguments."""

EXTREMES = {"max": "maximum", "min": "minimum"}
TURNED = {"max": "min", "min": "max"}
OF_NOTHING = frozenset({"any", "all"})
"""Reductions that have a value of their own where there is nothing to reduce."""

IDEMPOTENTS = frozenset({*EXTREMES, *OF_NOTHING})
"""Reductions of which equal values give one of them, where there is one."""

COMPLEX_LOG = "Log"
"""The logarithm of complex numbers, one of many: it undoes no exponential."""

PARTIAL = frozenset({"log", "log1p", "sqrt", "rsqrt", "asin", "acos", "acosh", "atanh", "erfinv", "lgamma", "digamma"})
PARTIAL |= {"pow", "mod", "floordiv", "tan", COMPLEX_LOG}
"""Functions that have no value at some numbers."""

OPAQUE = frozenset({"native", "core", "apply"})
"""What has no meaning here, and so perhaps no value: the inverse of a matrix, a morphism that may be a logarithm."""


class Functions(Algebra):
    """Terms with functions and reductions."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self._may_be_none: set[str] = set()  # sizes that may be zero, as they are shown

    def defined(self, op: str, data: Hashable, args: tuple[Term, ...]) -> bool:
        """Whether an operation has a value wherever these terms have one."""
        if op == "fn" and data in PARTIAL:
            return data in ("log", "log1p", "sqrt", "rsqrt") and self.positive(args[0])
        return op not in OPAQUE and super().defined(op, data, args)

    def apply(self, name: str, args: Sequence[Term]) -> Term:
        """A pointwise function of numbers."""
        found = self._arithmetic(name, args)
        if found is not None:
            return found
        if name in ODD | EVEN | {"sigmoid"} and self._negative(args[0]):
            return self._mirrored(name, args[0])
        if name in CHOICES and args[-2] is args[-1]:
            self.note(
                "a choice between equal values is one of them", f"{name} ({{}}, {{}})", tuple(args[-2:]), args[-1]
            )
            return args[-1]
        if name == "stop" and (self.value(args[0]) is not None or args[0].op == "poly"):
            return self._stopped(args[0])
        kept = list(args)
        if name in ASSOCIATIVE:
            kept = [inner for arg in kept for inner in (arg.args if (arg.op, arg.data) == ("fn", name) else (arg,))]
        if name in IDEMPOTENT:
            once = list(dict.fromkeys(kept))
            if len(once) < len(kept):
                self.note(f"{name} is idempotent", f"{name}({{}}, {{}})", (once[0], once[0]), once[0])
            kept = once
            if len(kept) == 1:
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
            case "log":
                return self._log(args[0])
            case _:
                return None

    def _exp(self, term: Term) -> Term:
        """The exponential of a sum is a product."""
        parts = self.parts(term)
        made = self.number(1)
        for coef, mono in parts:
            whole = coef.denominator == 1 and 0 < abs(coef) <= 8
            inner = self._sum({mono: Fraction(1) if whole else coef})
            if whole and (inner.op, inner.data) == ("fn", "log") and self.positive(inner.args[0]):
                factor = self.power(inner.args[0], abs(int(coef)))
                self.note("exp undoes log of what is positive", "exp({})", (inner,), inner.args[0])
                made = self.mul(made, factor if coef > 0 else self.inverse(factor))
                continue
            factor = self.make("fn", "exp", (inner,))
            made = self.mul(made, self._sum({self._mono((), [(factor, int(coef) if whole else 1)]): Fraction(1)}))
        if len(parts) > 1:
            self.note("exp takes sums to products", "exp({})", (term,), made)
        return made

    def _log(self, term: Term) -> Term | None:
        """Exponentials among the factors of a product leave its logarithm; None where there are none."""
        parts = self.parts(term)
        if is_exp(term):
            self.note("log undoes exp", "log({})", (term,), term.args[0])
            return term.args[0]
        if len(parts) != 1:
            return None
        coef, mono = parts[0]
        over, factors = self._apart(mono)
        bound = {name for name, _ in over}
        out = [(power, factor.args[0]) for factor, power in factors if is_exp(factor) and factor.free.isdisjoint(bound)]
        if not out:
            return None
        kept = [(f, power) for f, power in factors if not (is_exp(f) and f.free.isdisjoint(bound))]
        inner = self.apply("log", [self._sum({self._mono(over, kept): coef})])
        made = self.add([*out, (1, inner)])
        self.note("log takes products to sums", "log({})", (term,), made)
        return made

    def _negative(self, term: Term) -> bool:
        """Whether the first of its parts has a sign before it."""
        parts = self.parts(term)
        return self._lead(parts) < 0

    def _lead(self, parts: Sequence[tuple[Fraction, Term]]) -> Fraction:
        """The number before the first of some parts; without its sign where names of indices alone say which it is."""
        if not parts:
            return Fraction(1)
        first = min(mono.blind for _, mono in parts)
        found = [coef for coef, mono in parts if mono.blind == first]
        return found[0] if len(found) == 1 else max(map(abs, found))

    def _mirrored(self, name: str, term: Term) -> Term:
        """An odd function of a negative, an even one, or the logistic one, which is a half beside an odd one."""
        inner = self.apply(name, [self.add([(-1, term)])])
        if name in EVEN:
            made, law = inner, f"{name} is even"
        elif name in ODD:
            made, law = self.add([(-1, inner)]), f"{name} is odd"
        else:
            made, law = self.add([(1, self.number(1)), (-1, inner)]), "sigmoid(-x) is 1 - sigmoid(x)"
        self.note(law, f"{name}({{}})", (term,), made)
        return made

    def _stopped(self, term: Term) -> Term:
        """What has no gradient, part by part."""
        parts = [(coef, self._sum({mono: Fraction(1)})) for coef, mono in self.parts(term)]
        made = self.add((coef, one if self.value(one) else self.make("fn", "stop", (one,))) for coef, one in parts)
        self.note("stop_gradient is linear", "stop_gradient({})", (term,), made)
        return made

    # reductions

    def reduce(self, name: str, term: Term, over: Sequence[tuple[int, Size]]) -> Term:
        """A reduction by a commutative monoid other than the sum: over indices that bind."""
        self._may_be_none |= {show(size) for _, size in over if not _some(size)}
        return self._reduced(name, term, tuple((n, show(size)) for n, size in over))

    def _reduced(self, name: str, term: Term, over: Over) -> Term:
        kept = self._may_be_none if name in OF_NOTHING else ()
        equal = {n for n, size in over if name in IDEMPOTENTS and n not in term.free and size not in kept}
        within = tuple((n, size) for n, size in over if n not in equal)
        if not within:
            self.note(f"the {name} of equal values is one of them", f"{name} {{}}", (term,), term)
            return term
        if name in EXTREMES:
            found = self._extreme(name, term, within)
            if found is not None:
                return found
        if term.op == "red" and _name(term) == name:
            fresh = {n: self.fresh() for n in term.bound}
            new = {n: self.index(other) for n, other in fresh.items()}
            inner = self.put(term.args[0], new)
            made = self._red(name, inner, (*within, *zip(fresh.values(), _sizes(term), strict=True)))
            self.note(f"a {name} of a {name} is one {name}", f"{name} {{}}", (term,), made)
            return made
        return self._red(name, term, within)

    def _extreme(self, name: str, term: Term, over: Over) -> Term | None:
        """The largest or smallest of a sum, or of a function that keeps the order; None where nothing is known."""
        names = frozenset(n for n, _ in over)
        if term.op == "fn" and term.data in RISING:
            made = self.apply(str(term.data), [self._reduced(name, term.args[0], over)])
            self.note(f"{term.data} keeps the order, so {name} goes through it", f"{name} {{}}", (term,), made)
            return made
        if term.op == "fn" and term.data in ("maximum", "minimum"):
            inside = [arg for arg in term.args if not arg.free.isdisjoint(names)]
            if term.data != EXTREMES[name] and len(inside) > 1:
                return None
            args = [arg if arg.free.isdisjoint(names) else self._reduced(name, arg, over) for arg in term.args]
            made = self.apply(str(term.data), args)
            self.note(f"{name} and {term.data} may change places", f"{name} {{}}", (term,), made)
            return made
        parts = [(coef, mono) for coef, mono in self.parts(term) if not mono.free.isdisjoint(names)]
        lead = self._lead(parts)
        rest = [(coef, mono) for coef, mono in self.parts(term) if mono.free.isdisjoint(names)]
        if not lead or (lead == 1 and not rest):
            return None
        inner = self.add((coef / lead, self._sum({mono: Fraction(1)})) for coef, mono in parts)
        outer = name if lead > 0 else TURNED[name]
        beside = [(coef, self._sum({mono: Fraction(1)})) for coef, mono in rest]
        made = self.add([(lead, self._reduced(outer, inner, over)), *beside])
        law = f"{name} lets out what is added to all, and positive factors"
        law = law if lead > 0 else f"the {name} of negatives is the negative of the {outer}"
        self.note(law, f"{name} {{}}", (term,), made)
        return made

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
                powers, _ = shape(term)
                return self._product(args, powers)
            case "fn":
                return self.apply(str(term.data), args)
            case _:
                return self.simplified(term.op, term.data, args)

    def simplified(self, op: str, data: Hashable, args: tuple[Term, ...]) -> Term:
        """An operation without laws of arithmetic."""
        return self.make(op, data, args)

    def rebind(self, term: Term, args: tuple[Term, ...], over: tuple[int, ...]) -> Term:
        """The operation of a term that binds indices on other terms, in normal form."""
        match term.op:
            case "mono":
                powers, sizes = shape(term)
                product = self._product(args, powers)
                out: list[tuple[Fraction | int, Term]] = []
                for coef, mono in self.parts(product):
                    inner, factors = self._apart(mono)
                    whole = self._mono((*inner, *zip(over, sizes, strict=True)), factors)
                    out.append((coef, self._sum({whole: Fraction(1)})))
                return self.add(out)
            case "red":
                return self._reduced(_name(term), args[0], tuple(zip(over, _sizes(term), strict=True)))
            case _:
                return self.bind(term.op, term.data, args, over)


def _name(reduction: Term) -> str:
    data = reduction.data
    assert isinstance(data, tuple)
    return str(data[0])


def _some(size: Size) -> bool:
    """Whether a size is known to be above zero: a sum of products of dims that are."""
    if not isinstance(size, Poly):
        return size > 0
    atoms = [atom for mono, _ in size.terms for atom, _ in mono.pairs if isinstance(mono, Mono)]
    dims = all(isinstance(atom, Sym) and not is_ragged(atom.name) for atom in atoms)
    return dims and all(coef > 0 for _, coef in size.terms)


def _sizes(reduction: Term) -> tuple[str, ...]:
    data = reduction.data
    assert isinstance(data, tuple)
    return tuple(data[1])
