"""Facts about sizes: those a program or a signature states, and those a call must prove."""

from __future__ import annotations

from collections.abc import Iterable

from catdl import diagnostics as wrong
from catdl.check.context import Context
from catdl.check.scope import (
    Env,
    MorphismDef,
)
from catdl.check.solver import Blame
from catdl.check.static import Refused
from catdl.check.values import as_number, show_list
from catdl.diagnostics.base import Diagnostic
from catdl.syntax import ast
from catdl.types.rebuild import value_of
from catdl.types.sizes import (
    Bound,
    Facts,
    Floor,
    Poly,
    Size,
    SizeDividesByZero,
    equal,
    exact_div,
    floordiv,
    free_vars,
    mul,
    normal,
    not_negative,
    show,
    sub,
)


class Noted:
    """Facts while they are gathered."""

    __slots__ = ("_at_least", "_divides", "_equations", "_may_be_zero", "_stated")

    def __init__(self, known: Facts) -> None:
        self._divides = list(known.divides)
        self._at_least = list(known.at_least)
        self._equations = list(known.equations)
        self._may_be_zero = known.may_be_zero
        self._stated = dict.fromkeys(known.stated)

    def facts(self, may_be_zero: Iterable[str] = ()) -> Facts:
        """All that is known, and that these dims may be zero."""
        zero = self._may_be_zero.union(may_be_zero)
        return Facts(tuple(self._divides), tuple(self._at_least), tuple(self._equations), zero, tuple(self._stated))

    def note(self, ctx: Context, fact: ast.Fact, env: Env) -> bool:
        """Add one fact to those assumed; False for one that has no use or is false. Raises Refused."""
        left, right = as_number(ctx.statics.value(fact.left, env)), as_number(ctx.statics.value(fact.right, env))
        if isinstance(left, int) and isinstance(right, int):
            return truth(fact.op, left, right)
        if not isinstance(left, (int, Poly)) or not isinstance(right, (int, Poly)) or (left == 0 and fact.op == "|"):
            return False
        match fact.op:
            case "|" if isinstance(left, int):
                self._divides.append((left, right))
                return True
            case "|":
                self._equations.append((mul(floordiv(right, left), left), right))
            case "==" if left == right:
                return True
            case "==":
                self._equations.append((left, right))
            case _:
                rest = sub(left, right) if fact.op in (">=", ">") else sub(right, left)
                least = 0 if fact.op in (">=", "<=") else 1
                if isinstance(rest, int):
                    return rest >= least
                self._at_least.append((rest, least))
        self._stated[Bound(left, fact.op, right)] = None
        return True


def refused(ctx: Context, fact: ast.Fact, env: Env) -> Diagnostic:
    """Why a fact is none to assume: numbers make it false, or nothing can be done with it. Raises Refused."""
    left, right = as_number(ctx.statics.value(fact.left, env)), as_number(ctx.statics.value(fact.right, env))
    span = env.module.span(fact)
    if isinstance(left, int) and isinstance(right, int):
        return wrong.FalseFact(span, span.text, f"{left} {fact.op} {right}")
    return wrong.BadValue(span, "this cannot be assumed of the dims")


def truth(op: str, left: int, right: int) -> bool:
    """A fact between numbers."""
    return {
        "|": left != 0 and right % left == 0,
        "==": left == right,
        ">=": left >= right,
        "<=": left <= right,
        ">": left > right,
        "<": left < right,
    }[op]


def ruled_out(ctx: Context, fact: ast.Fact, env: Env) -> tuple[str, str]:
    """The first of a list that a signature wants empty, and the rule against it; both empty for any other fact.

    The rule is the documentation of the helper that makes the list; its name says nothing to a reader.
    """
    match fact.left:
        case ast.Call(ast.Name("len"), (ast.Arg(None, "", ast.Call(ast.Name(name)) as inner),)) if name.startswith("_"):
            found, rule = ctx.statics.value(inner, env), env.find(name)
            if isinstance(found, tuple) and found and isinstance(rule, MorphismDef):
                doc = rule.head.doc
                return show_list(found[0]), doc[:1].lower() + doc[1:].rstrip(".")
    return "", ""


def demand(ctx: Context, fact: ast.Fact, env: Env, blame: Blame) -> bool:
    """Check what a signature's `where` asks of a call. False after an error."""
    span = blame.span
    try:
        left, right = as_number(ctx.statics.value(fact.left, env)), as_number(ctx.statics.value(fact.right, env))
    except Refused:
        return False
    if not isinstance(left, (int, Poly)) or not isinstance(right, (int, Poly)):
        return True
    asked = env.module.source.text[fact.start : fact.end]
    if fact.op == "|":
        if isinstance(left, Poly):
            whole = mul(floordiv(right, left), left)
            if not equal(normal(whole), normal(right), ctx.facts).is_proved:
                ctx.report(wrong.NotDivisible(span, show(right), show(left), asked=asked))
                return False
            return True
        if left < 1:
            ctx.report(wrong.NotDivisible(span, show(right), show(left), asked=asked))
            return False
        quotient = exact_div(right, left)
        if quotient is None:
            why = ctx.explain(blame, right)
            ctx.report(wrong.NotDivisible(span, show(right), show(left), "", why, asked))
            return False
        if isinstance(quotient, Poly):
            ctx.solver.obligations.append((quotient, Blame(span, None, None, "what the signature asks")))
    elif fact.op == "==":
        return ctx.solver.same_size(left, right, Blame(span, None, None, "what the signature asks"))
    elif fact.op in ("<=", ">=", "<", ">") and (isinstance(left, Poly) or isinstance(right, Poly)):
        rest = sub(left, right) if fact.op in (">=", ">") else sub(right, left)
        if fact.op in ("<", ">"):
            rest = sub(rest, 1)
        ctx.bounds.append((rest, span, f"the signature asks for `{asked}`"))
    elif isinstance(left, int) and isinstance(right, int):
        holds = {">=": left >= right, "<=": left <= right, ">": left > right, "<": left < right}[fact.op]
        if not holds:
            ctx.report(wrong.FalseFact(span, asked, f"{left} {fact.op} {right}", True, *ruled_out(ctx, fact, env)))
            return False
    return True


def settle_bounds(ctx: Context) -> tuple[Bound, ...]:
    """Bounds that only the input can tell; those that are broken for every input are reported."""
    out: dict[Bound, None] = {}
    zero = ctx.facts.may_be_zero
    for bound in ctx.facts.stated:
        rest = not_negative(bound)
        if rest is None or (isinstance(rest, Poly) and not never_negative(rest, zero)):
            out[bound] = None
    for size, span, text in ctx.bounds:
        size = normal(size)
        if isinstance(size, int):
            if size < 0:
                ctx.report(wrong.BadValue(span, f"{text}, and here {-size} are missing"))
        elif not never_negative(size, zero):
            out[Bound(size, ">=", 0)] = None
    for size in ctx.filled:
        rest = sub(normal(size), 1)
        if isinstance(rest, Poly) and not never_negative(rest, rest.syms):
            out[Bound(rest, ">=", 0)] = None
    return tuple(out)


def never_negative(size: Poly, zero: frozenset[str] = frozenset()) -> bool:
    """Whether a size that grows with every dim is not negative where each dim is least: enough for the usual slices.

    The least dim is 1, and 0 for those in `zero`.
    """
    if free_vars(size):
        return False
    least = {name: 0 if name in zero else 1 for name in size.syms}
    stack: list[Size] = [size]
    while stack:
        part = stack.pop()
        if isinstance(part, int):
            continue
        for mono, coef in part.terms:
            if mono.pairs and coef < 0:
                return False
            for atom, _ in mono.pairs:
                if isinstance(atom, Floor):
                    if not isinstance(atom.divisor, int):
                        return False
                    stack.append(atom.body)
        try:
            if value_of(part, least) < 0:
                return False
        except SizeDividesByZero:  # by a dim that may be zero, inside of a floor by a number
            return False
    return True
