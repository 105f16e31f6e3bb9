"""Sizes against brute force: random polynomials with floors, over small dims."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import floor, prod

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from catdl.types.decide import MAX_CASES
from catdl.types.residues import profile
from catdl.types.sizes import (
    NO_FACTS,
    Contradiction,
    Facts,
    Size,
    SizeError,
    SizeVar,
    Solution,
    add,
    equal,
    evaluate,
    exact_div,
    floordiv,
    free_syms,
    is_integral,
    mul,
    neg,
    normal,
    show,
    solve,
    sub,
    substitute,
    sym,
    to_python,
    var,
)

NAMES = ("H", "W")


@dataclass(frozen=True)
class Pair:
    """A size, and the same size as a plain function."""

    size: Size
    value: Callable[[dict[str, int]], int]


def constant(number: int) -> Pair:
    return Pair(number, lambda env: number)


def dim(name: str) -> Pair:
    return Pair(sym(name), lambda env: env[name])


def grow(children: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    def plus(a: Pair, b: Pair) -> Pair:
        return Pair(add(a.size, b.size), lambda env: a.value(env) + b.value(env))

    def minus(a: Pair, b: Pair) -> Pair:
        return Pair(sub(a.size, b.size), lambda env: a.value(env) - b.value(env))

    def times(a: Pair, b: Pair) -> Pair:
        return Pair(mul(a.size, b.size), lambda env: a.value(env) * b.value(env))

    def over(a: Pair, divisor: int) -> Pair:
        return Pair(floordiv(a.size, divisor), lambda env: a.value(env) // divisor)

    return st.one_of(
        st.builds(plus, children, children),
        st.builds(minus, children, children),
        st.builds(times, children, children),
        st.builds(over, children, st.sampled_from((2, 3, 4, -2))),
    )


leaves = st.one_of(st.integers(-3, 6).map(constant), st.sampled_from(NAMES).map(dim))
pairs = st.recursive(leaves, grow, max_leaves=6)
grid = [dict(zip(NAMES, values, strict=True)) for values in product(range(1, 26), repeat=2)]
line = [dict.fromkeys(NAMES, value) for value in range(1, 61)]


def points(facts: Facts = NO_FACTS) -> Iterator[dict[str, int]]:
    for env in grid + line:
        if all(evaluate(size, env) % divisor == 0 for divisor, size in facts.divides) and all(
            evaluate(size, env) >= bound for size, bound in facts.at_least
        ):
            yield env


def check_verdict(left: Pair, right: Pair, facts: Facts) -> None:
    verdict = equal(left.size, right.size, facts)
    if verdict.is_refuted:
        env = dict(verdict.witness)
        assert free_syms(left.size) | free_syms(right.size) <= env.keys()
        full = dict.fromkeys(NAMES, 1) | env
        assert left.value(full) != right.value(full)
        for divisor, size in facts.divides:
            assert not free_syms(size) <= env.keys() or evaluate(size, env) % divisor == 0
        for size, bound in facts.at_least:
            assert not free_syms(size) <= env.keys() or evaluate(size, env) >= bound
        assert all(value >= 1 for value in env.values())
        return
    assert all(left.value(env) == right.value(env) for env in points(facts))
    if not verdict.is_proved:
        # Only too many cases may leave it open.
        difference = sub(left.size, right.size)
        assert prod(period for period, _ in profile(difference).values()) > MAX_CASES


@given(pairs)
@settings(max_examples=150, deadline=None)
def test_a_size_is_its_function(pair: Pair) -> None:
    names = sorted(free_syms(pair.size))
    python = to_python(pair.size, str)
    text = show(pair.size).replace("^", "**")
    for env in grid[::7] + line:
        expected = pair.value(env)
        assert evaluate(pair.size, env) == expected
        assert eval(python, dict(env)) == expected
        assert eval(text, dict(env)) == expected
        assert substitute(pair.size, {name: env[name] for name in names}) == expected


@given(pairs, pairs)
@settings(max_examples=200, deadline=None)
def test_equality_against_brute_force(left: Pair, right: Pair) -> None:
    check_verdict(left, right, NO_FACTS)


@given(pairs, st.sampled_from((2, 3, 4, 6)), st.sampled_from(NAMES))
@settings(max_examples=150, deadline=None)
def test_true_identities_are_proved(pair: Pair, divisor: int, name: str) -> None:
    """Hermite's identity over an arbitrary size; it is true, so a small period must prove it."""
    total: Size = 0
    for shift in range(divisor):
        total = add(total, floordiv(add(pair.size, shift), divisor))
    verdict = equal(total, pair.size)
    assert not verdict.is_refuted
    simple = sym(name)
    spread: Size = 0
    for shift in range(divisor):
        spread = add(spread, mul(simple, floordiv(add(simple, shift), divisor)))
    assert equal(spread, mul(simple, simple)).is_proved


@st.composite
def fact_sets(draw: st.DrawFn) -> Facts:
    size = st.sampled_from((sym("H"), sym("W"), add(sym("H"), sym("W")), sub(mul(2, sym("H")), sym("W"))))
    divides = draw(st.lists(st.tuples(st.sampled_from((2, 3, 4, 6)), size), max_size=2))
    bounds = st.tuples(st.one_of(size, size.map(neg)), st.integers(-12, 4))
    return Facts(divides=tuple(divides), at_least=tuple(draw(st.lists(bounds, max_size=2))))


@given(pairs, pairs, fact_sets())
@settings(max_examples=250, deadline=None)
def test_equality_under_facts(left: Pair, right: Pair, facts: Facts) -> None:
    check_sound(left, right, facts)


def check_sound(left: Pair, right: Pair, facts: Facts) -> None:
    verdict = equal(left.size, right.size, facts)
    if verdict.is_refuted:
        check_verdict(left, right, facts)
    elif verdict.is_proved:
        assert all(left.value(env) == right.value(env) for env in points(facts))


@given(pairs, st.sampled_from((2, 3, 4, 6, 12)), fact_sets())
@settings(max_examples=250, deadline=None)
def test_floors_under_facts(pair: Pair, divisor: int, facts: Facts) -> None:
    result = floordiv(pair.size, divisor, facts)
    for env in points(facts):
        assert evaluate(result, env) == pair.value(env) // divisor


@given(pairs, st.sampled_from((2, 3, 4, 6)), fact_sets())
@settings(max_examples=250, deadline=None)
def test_wholeness(pair: Pair, divisor: int, facts: Facts) -> None:
    quotient = exact_div(pair.size, divisor)
    if quotient is None:
        return
    verdict = is_integral(quotient, facts)
    if verdict.is_refuted:
        env = dict.fromkeys(NAMES, 1) | dict(verdict.witness)
        assert pair.value(env) % divisor
    else:
        wrong = any(pair.value(env) % divisor for env in points(facts))
        assert not (verdict.is_proved and wrong)


@given(pairs, pairs, pairs)
@settings(max_examples=150, deadline=None)
def test_ring_laws(a: Pair, b: Pair, c: Pair) -> None:
    assert add(a.size, b.size) == add(b.size, a.size)
    assert mul(a.size, b.size) == mul(b.size, a.size)
    assert add(add(a.size, b.size), c.size) == add(a.size, add(b.size, c.size))
    assert mul(mul(a.size, b.size), c.size) == mul(a.size, mul(b.size, c.size))
    assert mul(a.size, add(b.size, c.size)) == add(mul(a.size, b.size), mul(a.size, c.size))
    assert add(a.size, neg(a.size)) == 0
    assert sub(a.size, b.size) == add(a.size, neg(b.size))
    assert (mul(a.size, 1), add(a.size, 0), mul(a.size, 0)) == (a.size, a.size, 0)


@given(pairs, pairs)
@settings(max_examples=150, deadline=None)
def test_exact_division_undoes_multiplication(a: Pair, b: Pair) -> None:
    assume(b.size != 0)
    assert exact_div(mul(a.size, b.size), b.size) == a.size


@given(pairs, pairs)
@settings(max_examples=150, deadline=None)
def test_floors_by_sizes(a: Pair, b: Pair) -> None:
    assume(b.size != 0)
    result = floordiv(a.size, b.size)
    for env in grid[::5]:
        divisor = b.value(env)
        if divisor:
            try:
                value = evaluate(result, env)
            except SizeError:
                continue
            assert value == a.value(env) // divisor


@given(pairs, pairs, st.integers(1, 6), st.sampled_from(NAMES))
@settings(max_examples=150, deadline=None)
def test_solutions_solve(value: Pair, rest: Pair, factor: int, name: str) -> None:
    unknown = SizeVar(1)
    for coefficient in (factor, mul(factor, sym(name))):
        unknown.bound = None
        left = add(mul(coefficient, var(unknown)), rest.size)
        right = add(mul(coefficient, value.size), rest.size)
        step = solve(left, right)
        if isinstance(value.size, int) and value.size < 0:
            assert isinstance(step, Contradiction)
            continue
        assert isinstance(step, Solution)
        assert step.value == value.size
        assert step.obligation is None
        unknown.bound = step.value
        assert normal(left) == right


@given(pairs, st.integers(2, 6))
@settings(max_examples=150, deadline=None)
def test_a_solution_that_may_fail_says_so(right: Pair, factor: int) -> None:
    unknown = SizeVar(1)
    step = solve(mul(factor, var(unknown)), right.size)
    if isinstance(step, Contradiction):
        assert isinstance(right.size, int)
        assert Fraction(right.size, factor) < 0 or right.size % factor
    else:
        assert isinstance(step, Solution)
        assert mul(factor, step.value) == right.size
        whole = all(right.value(env) % factor == 0 for env in grid)
        assert whole or step.obligation is not None


def test_python_floors_agree_with_fractions() -> None:
    for top, bottom in product(range(-9, 10), (-3, -2, -1, 1, 2, 3)):
        assert floordiv(top, bottom) == floor(Fraction(top, bottom))
