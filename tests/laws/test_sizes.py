# ruff: noqa: E501  (lines of specs)
"""Sizes as the whole checker decides them, against brute force: declared codomains, concat, flatten, rearrange, pools."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

import catdl
from catdl.diagnostics import DimUntold

BUDGET = settings(max_examples=50, suppress_health_check=list(HealthCheck))
DIMS = "dim N, M\n"
REACH = range(1, 37)
"""Products of two sizes are quasi-polynomials in each dim, of degree four and a period that divides 12: five points of each
residue decide."""


def accepted(text: str) -> bool:
    """Whether its shapes agree; otherwise every mistake is one of shape.

    Neither a warning, of a dim that nothing uses, is one, nor that a network cannot stand alone, as no input tells a dim.
    """
    found = [d for d in catdl.loads(text).diagnostics if d.severity == "error" and d.code != DimUntold.code]
    assert all(d.code.startswith("E03") or d.code == "E0207" for d in found), [
        (d.code, d.parts().message) for d in found
    ]
    return not found


def everywhere(claim: Callable[[int, int], bool], fact: int = 1) -> bool:
    """Whether it holds for all sizes of N that `fact` divides, and all of M."""
    few = [1, 2, 3, 4, 5, 7, 8, 12]
    return all(claim(n, m) for n, m in product(REACH, few) if n % fact == 0) and all(
        claim(n, m) for n, m in product(few, REACH) if n % fact == 0
    )


def value(size: str, n: int, m: int) -> int:
    return int(eval(size, {}, {"N": n, "M": m}))


def fraction(number: int) -> st.SearchStrategy[str]:
    """A size and a floor of it."""
    return st.sampled_from(
        [
            f"(N + {number}) // 2",
            f"N // {number + 1}",
            f"(2 * N + {number}) // 3",
            f"(N + M) // {number + 1}",
            f"(N * M + {number}) // 2",
        ]
    )


ATOMS = st.one_of(
    st.sampled_from(["N", "M", "1", "2", "3", "N * M", "N * N", "2 * N", "3 * M"]),
    st.integers(0, 3).flatmap(fraction),
)
SIZES = st.lists(ATOMS, min_size=1, max_size=3).map(" + ".join)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    """Two sizes: any, or one and another way to write it, or nearly."""
    one = draw(SIZES)
    ways = [
        one,
        f"{one} + 1 - 1",
        f"2 * ({one}) - ({one})",
        f"({one}) // 2 + ({one} + 1) // 2",
        f"({one}) // 3 + ({one} + 1) // 3 + ({one} + 2) // 3",
        f"(6 * ({one}) + 5) // 6",
        f"2 * (({one}) // 2)",
        f"({one} + 2) // 2 - 1 + ({one} + 1) // 2",
        f"(({one}) // 2) // 2 + ({one}) - ({one}) // 4",
    ]
    return one, draw(st.one_of(st.sampled_from(ways), SIZES))


def test_the_three_that_a_checker_must_refuse() -> None:
    """(n, 768) -> (n, 12, 63), (2, n) -> (3, n), n + n = n."""
    assert not accepted(
        'dim N, D = 768\nmorphism f : Real[N, D] -> Real[N, 12, 63] = rearrange("n (h d) -> n h d", h = 12)\n'
    )
    assert not accepted(
        "dim N, D = 768\nmorphism f : Real[N, D] -> Real[N, H: 12, K: 63] = unflatten[D](H: 12, K: 63)\n"
    )
    assert not accepted("dim N\nmorphism f : Real[2, N] -> Real[3, N] = id\n")
    assert not accepted("dim N\nmorphism f : Real[X: 2, N] -> Real[X: 3, N] = tanh\n")
    assert not accepted("dim N\nmorphism f : Real[N] @ Real[N] -> Real[N] = concat[N]\n")
    assert accepted(
        'dim N, D = 768\nmorphism f : Real[N, D] -> Real[N, 12, 64] = rearrange("n (h d) -> n h d", h = 12)\n'
    )
    assert accepted("dim N\nmorphism f : Real[N] @ Real[N] -> Real[N: 2 * N] = concat[N]\n")


@BUDGET
@given(pairs())
@example(("N", "2 * (N // 2)"))
def test_declared_codomains(sizes: tuple[str, str]) -> None:
    """`id` is a map from one size to another just when they are equal."""
    one, two = sizes
    truth = everywhere(lambda n, m: value(one, n, m) == value(two, n, m))
    event(f"equal: {truth}")
    assert accepted(f"{DIMS}morphism f : Real[X: {one}] -> Real[X: {two}] = id\n") == truth
    assert accepted(f"{DIMS}morphism f : Real[X: {one}] -> Real[({two}) * 1] = tanh\n") == truth


@BUDGET
@given(SIZES, pairs())
def test_concatenations(one: str, sizes: tuple[str, str]) -> None:
    """The sizes add."""
    two, three = sizes
    body = "Real[X: {a}] @ Real[X: {b}] -> Real[X: {c}] = concat[X]\n"
    assert accepted(f"{DIMS}morphism f : " + body.format(a=one, b=two, c=f"{one} + {three}")) == everywhere(
        lambda n, m: value(two, n, m) == value(three, n, m)
    )
    assert accepted(f"{DIMS}morphism f : " + body.format(a=one, b=two, c=three)) == everywhere(
        lambda n, m: value(one, n, m) + value(two, n, m) == value(three, n, m)
    )


@BUDGET
@given(SIZES, pairs())
def test_merged_axes(one: str, sizes: tuple[str, str]) -> None:
    """The sizes multiply."""
    two, three = sizes
    truth = everywhere(lambda n, m: value(one, n, m) * (value(two, n, m) - value(three, n, m)) == 0)
    for how in ("flatten", 'rearrange("x y -> (x y)")'):
        text = f"{DIMS}morphism f : Real[X: {one}, Y: {two}] -> Real[({one}) * ({three})] = {how}\n"
        assert accepted(text) == truth


@BUDGET
@given(
    st.lists(
        st.sampled_from(["N", "M", "2", "3", "4", "N * M", "2 * N", "3 * M", "6 * N", "N * N + N"]),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([2, 3, 4, 6]),
    st.sampled_from([1, 2, 3, 6]),
)
def test_split_axes(terms: list[str], parts: int, fact: int) -> None:
    """An axis splits into equal parts just when their number divides its size, whatever the dims, given what is stated."""
    size = " + ".join(terms)
    truth = everywhere(lambda n, m: value(size, n, m) % parts == 0, fact)
    where = f"where {fact} | N\n" if fact > 1 else ""
    text = f"{DIMS}{where}morphism f : Real[X: {size}] -> Real[{parts}, ({size}) / {parts}] = "
    assert accepted(text + f'rearrange("(a b) -> a b", a = {parts})\n') == truth


@BUDGET
@given(
    SIZES,
    st.sampled_from([1, 2, 3, 4]),
    st.sampled_from([1, 2, 3]),
    st.sampled_from(ways := ["{f}", "({x}) // {s}", "{x}", "({x} + {s} - 1) // {s}", "{f} + 1"]),
)
def test_pools(size: str, kernel: int, stride: int, way: str) -> None:
    """The size after a pool is the one that the formula says."""
    base = f"{size} + 3"
    formula = f"({base} - {kernel}) // {stride} + 1"
    other = way.format(f=formula, x=base, s=stride)
    truth = everywhere(lambda n, m: value(formula, n, m) == value(other, n, m))
    text = f"{DIMS}morphism f : Real[X: {base}] -> Real[X: {other}] = maxpool1d({kernel}, stride = {stride})\n"
    assert accepted(text) == truth


@pytest.mark.parametrize(
    ("body", "truth"),
    [
        ("Real[N] -> Real[2 * (N // 2)] = slice[N](0, 2 * (N // 2))", True),
        ("Real[N] -> Real[N] where 2 | N = slice[N](0, 2 * (N // 2))", True),
        ("Real[N] -> Real[N] = slice[N](0, 2 * (N // 2))", False),
        ("Real[N: 4 * N] -> Real[N: 4 * N] = maxpool1d(2) >> upsample1d(2)", None),
        ("Real[X: N, Y: M] -> Real[N * M] = flatten", True),
        ("Real[X: N, Y: M] -> Real[M * N] = flatten", True),
        ("Real[X: N] -> Real[X: N + N] = pad[X](N, 0)", True),
        ("Real[X: N] -> Real[X: 2 * N + 1] = pad[X](N, 0)", False),
        ("Real[N] -> Real[M] = id", False),
        ("Real[X: N] -> Real[X: M] = id", False),
    ],
)
def test_by_hand(body: str, truth: bool | None) -> None:
    if truth is not None:
        assert accepted(f"{DIMS}morphism f : {body}\n") == truth
