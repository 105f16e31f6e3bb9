"""Static expressions: numbers, sizes, words and lists that are known before the network runs.

Takes expressions in a scope; guarantees exact numbers (fractions, not floats, as long as no root or logarithm is
taken) and sizes as polynomials. What is wrong is reported once and raised as `Refused`.

    3 * D      2304          T // 2      the polynomial          [(64, 1), (128, 2)]      a tuple of tuples
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, cast

from catdl import diagnostics as wrong
from catdl.check.scope import BadDef, DimDef, Env, MorphismDef, Shadow, Static
from catdl.check.values import NUMBER_LIMIT, Value, as_number, bits, bounded, decimal, lowest, show_value, too_large
from catdl.check.work import Work
from catdl.diagnostics.base import Diagnostic, Help
from catdl.diagnostics.suggest import near
from catdl.record import replace
from catdl.source import Source, Span
from catdl.syntax import ast
from catdl.types.poly import LIMIT
from catdl.types.sizes import (
    Facts,
    Poly,
    SizeTooLarge,
    add,
    added,
    exact_div,
    floordiv,
    is_integral,
    mul,
    neg,
    power,
    show,
    sub,
)
from catdl.types.types import Axis

_MOST = 3  # near names in one message
LIST_LIMIT = 100_000


class Refused(Exception):
    """An expression that was refused; the diagnostic is already reported."""


FUNCTIONS: dict[str, Callable[..., object]] = {
    "sqrt": math.sqrt,
    "log": math.log,
    "exp": math.exp,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
    "abs": abs,
    "min": min,
    "max": max,
    "len": len,
    "sum": sum,
    "nth": lambda value, place: value[place] if isinstance(value, tuple) else value,
}
CALL_DEPTH = 64


def summed(operators: tuple[str, ...], first: object, others: list[Value]) -> Value | None:
    """A sum of many sizes in one go, not one by one: its terms are put in order once. None where it is none."""
    sizes = [as_number(first), *map(as_number, others)]
    if not {"+", "-"}.issuperset(operators) or not any(isinstance(size, Poly) for size in sizes):
        return None
    if not all(isinstance(size, Poly) or (isinstance(size, int) and not isinstance(size, bool)) for size in sizes):
        return None
    signs = (1, *(1 if operator == "+" else -1 for operator in operators))
    return added(zip(signs, sizes, strict=True))


class Statics:
    """Evaluates static expressions of one declaration."""

    def __init__(self, report: Callable[[Diagnostic], None], facts: Facts, work: Work) -> None:
        self.report = report
        self.work = work
        self.facts = facts
        self.depth = 0
        self.at: tuple[Source, Span] | None = None  # the file of the signature a call is read by, and the call

    def refuse(self, diagnostic: Diagnostic) -> Refused:
        """Report and give back what to raise. What a signature cannot be under its arguments is told of the call."""
        span = diagnostic.span
        written = isinstance(diagnostic, wrong.UnknownName)  # whatever the arguments are
        if not written and self.at is not None and span is not None and span.source is self.at[0]:
            call = self.at[1]
            if call.source is not span.source or not call.start <= span.start <= span.end <= call.end:
                diagnostic = replace(cast(Any, diagnostic), span=call)
        self.report(diagnostic)
        return Refused()

    def is_static(self, node: ast.Expr, env: Env) -> bool:
        """Whether an expression is a static value by its form."""
        match node:
            case ast.Number() | ast.Text() | ast.List() | ast.Comprehension():
                return True
            case ast.Name(id):
                found = env.find(id)
                if found is None:
                    return id in ("true", "false")
                return isinstance(found, (Static, Axis, DimDef))
            case ast.Chain(operands, _):
                return all(self.is_static(o, env) for o in operands)
            case ast.Negate(operand):
                return self.is_static(operand, env)
            case ast.Power(base, exponent):
                return self.is_static(base, env) and self.is_static(exponent, env)
            case ast.Tuple(items):
                return bool(items) and all(self.is_static(i.value, env) for i in items)
            case ast.Call(ast.Name(id), args):
                if env.local(id) is not None or not args or not all(self.is_static(a.value, env) for a in args):
                    return False
                if id in FUNCTIONS:
                    # A root of a free dim is known only when the network runs: then it is arithmetic on wires.
                    return id in ("nth", "len") or not any(self.has_free(a.value, env) for a in args)
                return id == "range" or self.is_function(env.find(id))
            case ast.If(_, then, orelse):
                return self.is_static(then, env) and self.is_static(orelse, env)
            case ast.Index(base, _):
                return self.is_static(base, env)
            case _:
                return False

    def value(self, node: ast.Expr, env: Env) -> Value:
        """The value of a static expression. Raises Refused."""
        try:
            return self._value(node, env)
        except SizeTooLarge as error:
            raise self.refuse(wrong.LimitExceeded(env.module.span(node), error.what, error.limit)) from None
        except (OverflowError, ZeroDivisionError, ValueError, TypeError, IndexError) as error:
            if isinstance(error, Refused):
                raise
            if isinstance(error, ZeroDivisionError):
                raise self.refuse(wrong.DivisionByZero(env.module.span(node))) from None
            words = "these values do not go together"
            raise self.refuse(wrong.BadValue(env.module.span(node), words)) from None

    def _value(self, node: ast.Expr, env: Env) -> Value:
        self.work.left -= 1
        if self.work.left < 0:
            self.spend(0, node, env)
        match node:
            case ast.Number(number):
                return number
            case ast.Text(text):
                return text
            case ast.Name(id):
                return self._name(node, env)
            case ast.Chain(operands, operators):
                total, *others = self._each(operands, env)
                if len(others) > 1 and (whole := summed(operators, total, others)) is not None:
                    return whole
                for operator, operand in zip(operators, others, strict=True):
                    total = self._binary(operator, total, operand, node, env)
                return total
            case ast.Negate(operand):
                value = as_number(self._value(operand, env))
                return neg(value) if isinstance(value, Poly) else -value
            case ast.Power(base, exponent):
                return self._power(base, exponent, node, env)
            case ast.List(items):
                return tuple(self._value(i, env) for i in items)
            case ast.Tuple(items):
                return tuple(self._value(i.value, env) for i in items)
            case ast.Comprehension():
                return tuple(self._value(node.value, scope) for scope in self.loop(node, env))
            case ast.If(condition, then, orelse):
                return self._value(then if self.truth(condition, env) else orelse, env)
            case ast.Index(base, items):
                listed, place = self._value(base, env), self._value(items[0].value, env)
                if isinstance(listed, tuple) and isinstance(place, int) and -len(listed) <= place < len(listed):
                    return listed[place]
                raise self.refuse(wrong.BadValue(env.module.span(node), "there is no such element"))
            case ast.Call(ast.Name(id), args) if id == "range":
                bounds = [as_number(self._value(a.value, env)) for a in args]
                span = range(*bounds)
                if len(span) > LIST_LIMIT:
                    raise self.refuse(wrong.LimitExceeded(env.module.span(node), "the length of a list", LIST_LIMIT))
                self.spend(len(span), node, env)
                return tuple(span)
            case ast.Call(ast.Name(id), args) if id in FUNCTIONS and env.local(id) is None:
                values = [as_number(self._value(a.value, env)) for a in args]
                if any(isinstance(v, Poly) for v in values):
                    raise self.refuse(wrong.NotStatic(env.module.span(node), f"`{id}` of a free dim"))
                return cast("Value", bounded(FUNCTIONS[id](*values)))
            case ast.Call(ast.Name(id), args) if self.is_function(found := env.find(id)):
                assert isinstance(found, MorphismDef)
                return self.function(found, [as_number(self._value(a.value, env)) for a in args], node, env)
            case ast.Bad() | ast.Field() if is_told(node):
                raise Refused
            case _:
                raise self.refuse(wrong.NotStatic(env.module.span(node), "this"))

    def spend(self, steps: int, node: ast.Expr, env: Env) -> None:
        """Take steps of the work that is left. Raises Refused."""
        if not self.work.spend(steps, env.module.span(node)):
            raise Refused

    def has_free(self, node: ast.Expr, env: Env) -> bool:
        """Whether a static expression depends on a free dim."""
        try:
            return isinstance(as_number(Statics(lambda _: None, self.facts, self.work)._value(node, env)), Poly)
        except (Refused, ArithmeticError, ValueError, TypeError):
            return False

    def is_function(self, found: object) -> bool:
        """Whether a name stands for a static function: a morphism of numbers, without a signature."""
        if not isinstance(found, MorphismDef) or found.head.signature is not None or not found.head.params:
            return False
        if found.static is None:
            found.static = False
            names: dict[str, object] = {p.name: Static(0) for p in found.head.params if p.name is not None}
            found.static = True  # a function may call itself
            body = found.head.body
            found.static = body is not None and self.is_static(body, Env(found.module, None, names))
        return found.static

    def function(self, found: MorphismDef, values: list[object], node: ast.Expr, env: Env) -> Value:
        """The value of a static function. Raises Refused."""
        span = env.module.span(node)
        report = self.report
        if env.module.name and not found.module.name:  # what an entry cannot do with its arguments is told of the use
            self.report = lambda diagnostic: report(replace(cast(Any, diagnostic), span=span))
        self.depth += 1
        try:
            if self.depth > CALL_DEPTH:
                raise self.refuse(wrong.DepthLimit(span, found.name, CALL_DEPTH))
            for equation in found.equations:
                params = equation.params or ()
                if len(params) != len(values):
                    raise self.refuse(wrong.TooManyArguments(span, found.name, len(params), len(values)))
                names: dict[str, object] = {}
                for param, value in zip(params, values, strict=True):
                    if param.literal is not None and self._value(param.literal, Env(found.module)) != value:
                        break
                    if param.name is not None:
                        names[param.name] = Static(value)
                else:
                    assert equation.body is not None
                    return self._value(equation.body, Env(found.module, None, names))
            shown = ", ".join(show_value(v) for v in values)
            raise self.refuse(wrong.NoEquationMatches(span, found.name, shown))
        finally:
            self.depth -= 1
            self.report = report

    def _each(self, nodes: Iterable[ast.Expr], env: Env) -> list[Value]:
        """The values of several expressions, each of which is told what is wrong with it. Raises Refused."""
        values: list[Value] = []
        refused: Refused | None = None
        for node in nodes:
            try:
                values.append(self._value(node, env))
            except Refused as error:
                refused = error
        if refused is not None:
            raise refused
        return values

    def _name(self, node: ast.Name, env: Env) -> Value:
        found = env.find(node.id)
        if isinstance(found, Shadow):
            found = found.static
        match found:
            case Static(value):
                return cast("Value", value)
            case Axis():
                return found
            case DimDef(axis=axis):
                env.module.used.add(node.id)
                return axis
            case BadDef():
                raise Refused
            case None if node.id in ("true", "false"):
                return node.id == "true"
            case None:
                close = alike(node.id, env, Static, Axis, DimDef)
                raise self.refuse(wrong.UnknownName(env.module.span(node), node.id, "value", close))
            case _:
                raise self.refuse(wrong.NotStatic(env.module.span(node), f"`{node.id}`"))

    def _binary(self, operator: str, left: Any, right: Any, node: ast.Expr, env: Env) -> Any:
        left, right = as_number(left), as_number(right)
        if operator in ("==", "!="):
            return (left == right) == (operator == "==")
        if isinstance(left, Poly) or isinstance(right, Poly):
            return self._sizes(operator, left, right, node, env)
        match operator:
            case "+":
                return bounded(left + right)
            case "-":
                return bounded(left - right)
            case "*":
                return bounded(left * right)
            case "/":
                if isinstance(left, float) or isinstance(right, float):
                    return left / right
                return bounded(lowest(Fraction(left) / Fraction(right)))
            case "//":
                return left // right
            case "<":
                return left < right
            case "<=":
                return left <= right
            case ">":
                return left > right
            case ">=":
                return left >= right
            case _:
                raise AssertionError(operator)

    def _sizes(self, operator: str, left: object, right: object, node: ast.Expr, env: Env) -> object:
        if not isinstance(left, (int, Poly)) or not isinstance(right, (int, Poly)):
            raise self.refuse(wrong.NotStatic(env.module.span(node), "arithmetic of a free dim with a fraction"))
        match operator:
            case "+":
                return add(left, right)
            case "-":
                return sub(left, right)
            case "*":
                return mul(left, right)
            case "//":
                return floordiv(left, right, self.facts)
            case "/":
                quotient = exact_div(left, right)
                if quotient is None:
                    raise self.refuse(wrong.NotDivisible(env.module.span(node), show(left), show(right)))
                return quotient
            case _:
                raise self.refuse(wrong.NotStatic(env.module.span(node), "a comparison of free dims"))

    def _power(self, base: ast.Expr, exponent: ast.Expr, node: ast.Expr, env: Env) -> Value:
        left, right = as_number(self._value(base, env)), as_number(self._value(exponent, env))
        if isinstance(left, (int, Poly)) and not isinstance(left, bool) and isinstance(right, int) and right >= 0:
            return power(left, right)
        if isinstance(left, (int, Fraction, float)) and isinstance(right, (int, Fraction, float)):
            most = NUMBER_LIMIT / max(bits(left), 1)
            if not -most <= right <= most:
                raise too_large()
            power_ = left**right
            if not isinstance(power_, complex):
                return cast("Value", power_)
        raise self.refuse(wrong.NotStatic(env.module.span(node), "this power"))

    def size(self, node: ast.Expr, env: Env) -> int | Poly:
        """A whole size, at least in form. Raises Refused."""
        value = as_number(self.value(node, env))
        if isinstance(value, Fraction):
            if not isinstance(node, ast.Chain):
                words = f"a size is a whole number, not {decimal(value)}"
                raise self.refuse(wrong.BadValue(env.module.span(node), words))
            sides: tuple[object, ...] = (value.numerator, value.denominator)
            if isinstance(node, ast.Chain) and node.operators == ("/",):
                sides = tuple(as_number(self.value(o, env)) for o in node.operands)
            raise self.refuse(wrong.NotDivisible(env.module.span(node), show_value(sides[0]), show_value(sides[1])))
        if isinstance(value, bool) or not isinstance(value, (int, Poly)):
            raise self.refuse(
                wrong.BadValue(env.module.span(node), f"a size is a whole number, not {show_value(value)}")
            )
        if isinstance(value, int) and abs(value) > LIMIT:
            raise self.refuse(wrong.LimitExceeded(env.module.span(node), "the value of a size", "2^63"))
        if isinstance(value, int) and value < 0:
            raise self.refuse(wrong.NegativeSize(env.module.span(node), f"this is {value}"))
        if isinstance(value, Poly) and not is_integral(value, self.facts, refute=False).is_proved:
            bottom = math.lcm(*(Fraction(coef).denominator for _, coef in value.terms))
            top = mul(value, bottom)
            raise self.refuse(
                wrong.NotDivisible(env.module.span(node), show(top), str(bottom), fact=f"{bottom} | {show(top)}")
            )
        return value

    def truth(self, node: ast.Expr, env: Env) -> bool:
        """A static condition. Raises Refused."""
        value = self.value(node, env)
        if not isinstance(value, bool):
            named = isinstance(node, ast.Tuple) and any(item.sep == "=" for item in node.items)
            helps = (Help("to compare two numbers write `==`"),) if named else ()
            raise self.refuse(
                wrong.BadValue(
                    env.module.span(node), f"a condition is true or false, not {show_value(value)}", "", helps
                )
            )
        return value

    def loop(self, node: ast.Comprehension, env: Env) -> list[Env]:
        """The scopes of a comprehension, one for each element. Raises Refused."""
        source = self.value(node.source, env)
        if not isinstance(source, tuple):
            raise self.refuse(wrong.BadValue(env.module.span(node.source), "a comprehension runs over a list"))
        return [env.child(self.bind(node.target, item, env)) for item in source]

    def bind(self, target: ast.Expr, value: object, env: Env) -> dict[str, object]:
        """Names of a pattern bound to a static value. Raises Refused."""
        match target:
            case ast.Name(id):
                return {id: Static(value)}
            case ast.Tuple(items) if isinstance(value, tuple) and len(items) == len(value):
                names: dict[str, object] = {}
                for item, part in zip(items, value, strict=True):
                    names |= self.bind(item.value, part, env)
                return names
            case _:
                raise self.refuse(
                    wrong.BadValue(env.module.span(target), f"the pattern does not fit {show_value(value)}")
                )


def alike(name: str, env: Env, *sorts: type) -> tuple[str, ...]:
    """Near names in scope of the right sort; of equally near ones the body's first, then the file's."""
    close = near(name, visible(env), 4 * _MOST)
    return tuple(n for n in close if isinstance(env.find(n), sorts))[:_MOST]


def visible(env: Env) -> list[str]:
    """Every name in scope, for suggestions."""
    names: list[str] = []
    at: Env | None = env
    while at is not None:
        names += at.names
        at = at.parent
    names += env.module.defs
    if env.module.prelude is not None:
        names += env.module.prelude.names()
    return names


def is_told(expr: ast.Expr) -> bool:
    """Whether the parser told of it: a stretch that it could not read, or `block.*.weight` outside of a plug."""
    while isinstance(expr, ast.Field):
        if expr.name[:1] in "*{":
            return True
        expr = expr.base
    return isinstance(expr, ast.Bad)
