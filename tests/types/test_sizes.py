"""Sizes: the named cases, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from catdl.types.sizes import (
    DONE,
    NO_FACTS,
    PROVED,
    UNDECIDED,
    Contradiction,
    Facts,
    Outcome,
    Poly,
    Size,
    SizeDividesByZero,
    SizeError,
    SizeTooLarge,
    SizeVar,
    Solution,
    Verdict,
    Wait,
    add,
    equal,
    evaluate,
    exact_div,
    floordiv,
    free_syms,
    free_vars,
    is_integral,
    mul,
    neg,
    normal,
    power,
    show,
    solve,
    sub,
    substitute,
    sym,
    to_python,
    var,
)
from tests.work import steps

H, W, D, N = sym("m::H"), sym("m::W"), sym("m::D"), sym("m::N")


def refuted_at(**dims: int) -> Verdict:
    return Verdict(Outcome.REFUTED, tuple(sorted((f"m::{name}", value) for name, value in dims.items())))


DOUBLED = 1_000_000
"""Steps within which a size that doubles is refused, twice what it takes; it would double beyond any number."""


def repeated(step: Callable[[Size], Size]) -> Size:
    size: Size = H
    for _ in range(2000):
        size = step(size)
    return size


class TestNormalForm:
    def test_constants_are_ints(self) -> None:
        assert sub(add(H, 3), H) == 3
        assert type(sub(add(H, 3), H)) is int
        assert mul(0, H) == 0
        assert power(H, 0) == 1

    def test_the_order_of_building_does_not_matter(self) -> None:
        assert add(mul(H, W), D) == add(D, mul(W, H))
        assert hash(add(mul(H, W), D)) == hash(add(D, mul(W, H)))
        assert power(add(H, W), 2) == add(add(mul(H, H), mul(2, mul(W, H))), mul(W, W))

    @pytest.mark.parametrize(
        ("size", "expected"),
        [
            (floordiv(add(mul(2, H), 1), 2), H),
            (floordiv(floordiv(H, 2), 2), floordiv(H, 4)),
            (floordiv(floordiv(add(H, 1), 2), 3), floordiv(add(H, 1), 6)),
            (floordiv(mul(4, H), 6), floordiv(mul(2, H), 3)),
            (floordiv(add(mul(6, H), 5), 4), add(add(H, 1), floordiv(H, 2))),
            (floordiv(7, 2), 3),
            (floordiv(-7, 2), -4),
            (floordiv(H, -2), floordiv(neg(H), 2)),
            (floordiv(mul(H, W), W), H),
            (floordiv(add(mul(H, W), 3), W), add(H, floordiv(3, W))),
            (floordiv(mul(2, H), mul(2, W)), floordiv(H, W)),
            (floordiv(H, neg(W)), floordiv(neg(H), W)),
        ],
    )
    def test_floors(self, size: Size, expected: Size) -> None:
        assert size == expected

    def test_facts_make_floors_exact(self) -> None:
        facts = Facts(divides=((16, H),))
        half = exact_div(H, 2)
        assert half is not None
        assert floordiv(H, 2, facts) == half
        assert floordiv(add(H, 1), 2, facts) == half
        assert floordiv(add(add(H, W), 1), 2, facts) == add(half, floordiv(add(W, 1), 2))
        assert floordiv(H, 32, facts) == floordiv(H, 32)
        assert floordiv(floordiv(H, 2, facts), 4, facts) == exact_div(H, 8)
        assert floordiv(add(H, W), 4, Facts(divides=((4, add(H, W)),))) == exact_div(add(H, W), 4)
        assert floordiv(H, W, Facts(equations=((H, mul(W, D)),))) == D

    def test_exact_division(self) -> None:
        assert exact_div(12, 4) == 3
        assert exact_div(13, 4) is None
        assert exact_div(H, 0) is None
        assert exact_div(H, W) is None
        assert exact_div(12, H) is None
        assert exact_div(0, H) == 0
        assert exact_div(sub(mul(H, H), 1), add(H, 1)) == sub(H, 1)
        assert exact_div(mul(mul(3, H), W), mul(2, W)) == exact_div(mul(3, H), 2)


class TestLimits:
    @pytest.mark.parametrize("build", [lambda: power(2, 64), lambda: power(H, 65), lambda: power(2, 10**9)])
    def test_powers(self, build: object) -> None:
        assert callable(build)
        with pytest.raises(SizeTooLarge):
            build()

    def test_towers_and_products(self) -> None:
        with pytest.raises(SizeTooLarge):
            mul(2**40, 2**40)
        with pytest.raises(SizeTooLarge):
            power(power(H, 64), 64)
        with pytest.raises(SizeTooLarge):
            add(2**63, 2**63)

    def test_doubling_is_refused_and_not_exponential(self) -> None:
        def refused(step: Callable[[Size], Size]) -> None:
            with pytest.raises(SizeTooLarge):
                repeated(step)

        assert steps(lambda: refused(lambda size: floordiv(add(mul(size, W), mul(size, D)), 3))) < DOUBLED
        assert steps(lambda: refused(lambda size: mul(size, add(size, W)))) < DOUBLED
        assert steps(lambda: refused(lambda size: add(size, size))) < DOUBLED

    def test_many_terms(self) -> None:
        dims = iter(range(2000))
        with pytest.raises(SizeTooLarge):
            repeated(lambda size: add(size, sym(f"d{next(dims)}")))

    def test_a_decision_at_the_limits_is_no_error(self) -> None:
        assert not equal(mul(2**62, H), mul(-(2**62), H)).is_proved

    def test_division_by_zero(self) -> None:
        with pytest.raises(SizeDividesByZero):
            floordiv(H, 0)
        with pytest.raises(SizeDividesByZero):
            evaluate(floordiv(H, sub(W, 1)), {"m::H": 1, "m::W": 1})
        with pytest.raises(SizeError):
            power(H, -1)


class TestEqual:
    def test_named_cases(self) -> None:
        assert equal(mul(2, floordiv(H, 2)), H) == refuted_at(H=1)
        assert equal(add(floordiv(H, 2), floordiv(add(H, 1), 2)), H) == PROVED
        assert equal(mul(N, 768), mul(N, mul(12, 63))) == refuted_at(N=1)
        assert equal(mul(2, N), mul(3, N)) == refuted_at(N=1)
        assert equal(add(N, N), N) == refuted_at(N=1)
        assert equal(H, W).is_refuted
        assert equal(2, 3).is_refuted

    def test_zero_dims(self) -> None:
        facts = Facts(may_be_zero=frozenset(("m::N",)))
        assert equal(add(N, N), N, facts) == refuted_at(N=1)
        assert equal(floordiv(add(N, 5), 5), 1, facts) == refuted_at(N=5)
        bounded = Facts(at_least=((neg(N), -4),), may_be_zero=frozenset(("m::N",)))
        assert equal(floordiv(add(N, 5), 5), 1, bounded) == PROVED
        assert equal(floordiv(N, 5), 0, Facts(at_least=((neg(N), -5),))) == refuted_at(N=5)

    def test_divides(self) -> None:
        facts = Facts(divides=((2, H),))
        assert equal(mul(2, floordiv(H, 2)), H, facts) == PROVED
        assert equal(mul(4, floordiv(H, 4)), H, facts) == refuted_at(H=2)
        together = Facts(divides=((6, add(H, W)),))
        assert equal(mul(3, floordiv(add(H, W), 3)), add(H, W), together) == PROVED
        assert equal(mul(3, floordiv(H, 3)), H, together).is_refuted
        assert equal(mul(12, floordiv(add(H, W), 12)), add(H, W), together).is_refuted
        assert equal(mul(D, mul(3, floordiv(add(H, W), 3))), mul(D, add(H, W)), together) == PROVED
        unrelated = Facts(divides=((3, add(H, W)),))
        assert equal(mul(2, N), mul(3, N), unrelated) == refuted_at(N=1)

    def test_equations(self) -> None:
        facts = Facts(equations=((D, mul(H, W)),))
        assert equal(mul(2, D), mul(mul(2, H), W), facts) == PROVED
        verdict = equal(H, W, facts)
        assert verdict.is_refuted
        dims = dict(verdict.witness)
        assert dims["m::D"] == dims["m::H"] * dims["m::W"]
        assert equal(H, N, Facts(equations=((mul(3, H), mul(3, N)),))) == PROVED
        assert equal(mul(3, H), mul(2, N), Facts(equations=((mul(6, H), mul(4, N)),))) != PROVED

    def test_an_equation_that_determines_no_dim_holds_as_it_is_said(self) -> None:
        left, right = floordiv(floordiv(N, H), W), floordiv(N, mul(H, W))
        said = Facts(equations=((left, right),))
        assert equal(left, right) == UNDECIDED
        assert equal(left, right, said) == equal(add(1, right), add(left, 1), said) == PROVED
        assert equal(left, add(right, 1), said) != PROVED

    def test_relations_bound_the_witness(self) -> None:
        facts = Facts(at_least=((sub(H, W), 3),))
        assert equal(H, W, facts) == refuted_at(H=4, W=1)
        assert equal(H, W, Facts(at_least=((sub(H, W), 0), (sub(W, H), 0)))) == UNDECIDED

    def test_floors_by_sizes(self) -> None:
        assert equal(floordiv(H, W), floordiv(H, W)) == PROVED
        assert equal(add(floordiv(H, W), 1), floordiv(H, W)).is_refuted
        assert equal(add(floordiv(H, W), 1), floordiv(add(H, W), W)) == PROVED
        assert equal(floordiv(H, W), floordiv(W, H)).is_refuted
        assert equal(floordiv(mul(2, floordiv(H, W)), 2), floordiv(H, W)) == PROVED
        # True for all dims, but no rule here shows it.
        assert equal(floordiv(floordiv(H, W), W), floordiv(H, mul(W, W))) == UNDECIDED

    def test_far_witness(self) -> None:
        verdict = equal(floordiv(H, 97), floordiv(W, 89))
        assert verdict.is_refuted
        size: Size = 1
        for place in range(1, 13):
            size = mul(size, sub(H, place))
        assert equal(size, 0) == refuted_at(H=13)

    def test_sums_of_floors_apart(self) -> None:
        left = add(floordiv(H, 61), add(floordiv(W, 67), floordiv(D, 71)))
        assert equal(left, add(left, 0)) == PROVED
        assert equal(left, sub(left, sub(floordiv(H, 61), floordiv(H, 61)))) == PROVED
        split: Size = 0
        for name, divisor in ((H, 61), (W, 67), (D, 71)):
            for shift in range(divisor):
                split = add(split, floordiv(add(name, shift), divisor))
        assert equal(split, add(H, add(W, D))) == PROVED

    def test_too_many_cases(self) -> None:
        huge = floordiv(mul(add(floordiv(H, 101), 1), floordiv(W, 103)), 2)
        other = floordiv(mul(add(floordiv(H, 101), 1), add(floordiv(W, 103), 0)), 2)
        assert equal(huge, other) == PROVED
        assert equal(floordiv(mul(H, floordiv(W, 9001)), 7), floordiv(mul(W, floordiv(H, 9001)), 7)) == UNDECIDED

    def test_unknowns(self) -> None:
        unknown = var(SizeVar(1))
        assert equal(unknown, H) == UNDECIDED
        assert equal(add(unknown, H), add(H, unknown)) == PROVED
        assert equal(add(unknown, H), add(unknown, W)).is_refuted

    def test_contradictory_facts_refute_nothing(self) -> None:
        facts = Facts(at_least=((H, 5), (neg(H), -3)))
        assert not equal(H, mul(2, H), facts).is_refuted


class TestIntegral:
    def test_halves(self) -> None:
        half = exact_div(H, 2)
        assert half is not None
        assert is_integral(half) == refuted_at(H=1)
        assert is_integral(half, Facts(divides=((16, H),))) == PROVED
        assert is_integral(half, Facts(divides=((3, H),))) == refuted_at(H=3)
        assert is_integral(half, Facts(equations=((H, mul(2, W)),))) == PROVED

    def test_products(self) -> None:
        triangle = exact_div(mul(H, add(H, 1)), 2)
        assert triangle is not None
        assert is_integral(triangle) == PROVED
        part = exact_div(mul(H, W), 4)
        assert part is not None
        assert is_integral(part, Facts(divides=((2, H), (2, W)))) == PROVED
        assert is_integral(part, Facts(divides=((2, H),))).is_refuted

    def test_constants(self) -> None:
        half = exact_div(add(H, 1), 2)
        assert half is not None
        rest = sub(mul(2, half), H)
        assert rest == 1
        odd = sub(half, exact_div(H, 2) or 0)
        assert is_integral(odd).is_refuted
        with pytest.raises(ValueError, match="1/2"):
            evaluate(odd, {})


class TestSolve:
    def test_constants(self) -> None:
        assert solve(3, 3) == DONE
        assert isinstance(solve(3, 4), Contradiction)
        assert solve(H, H) == DONE
        assert solve(H, W) == Contradiction((("m::H", 1), ("m::W", 2)))
        assert isinstance(solve(add(var(SizeVar(1)), 5), 3), Contradiction)

    def test_linear(self) -> None:
        a = SizeVar(1, hint="n")
        assert solve(var(a), H) == Solution(a, H)
        assert solve(mul(4, var(a)), 64) == Solution(a, 16)
        assert isinstance(solve(mul(4, var(a)), 63), Contradiction)
        assert solve(mul(var(a), H), mul(mul(3, H), W)) == Solution(a, mul(3, W))
        assert solve(add(mul(2, var(a)), H), add(add(mul(2, W), H), 6)) == Solution(a, add(W, 3))
        half = exact_div(H, 2)
        assert half is not None
        assert solve(mul(2, var(a)), H) == Solution(a, half, half)
        assert solve(mul(2, var(a)), H, Facts(divides=((2, H),))) == Solution(a, half)
        assert isinstance(solve(mul(W, var(a)), H), Contradiction)
        assert solve(mul(W, var(a)), H, Facts(equations=((H, mul(W, D)),))) == Solution(a, D)

    def test_waiting(self) -> None:
        a, b = SizeVar(1), SizeVar(2)
        assert solve(var(b), var(a)) == Solution(b, var(a))
        assert solve(mul(D, var(b)), mul(D, var(a))) == Solution(b, var(a))
        assert solve(add(var(a), var(b)), 3) == Wait(frozenset((a, b)))
        assert solve(mul(var(a), var(a)), 9) == Wait(frozenset((a,)))
        assert solve(floordiv(var(a), 2), H) == Wait(frozenset((a,)))
        assert solve(add(mul(H, var(a)), var(a)), H) == Wait(frozenset((a,)))
        b.bound = 5
        assert solve(add(var(a), var(b)), H) == Solution(a, sub(H, 5))
        a.bound = var(b)
        assert solve(var(a), 5) == DONE


class TestUnknowns:
    def test_bounds_are_followed(self) -> None:
        a, b = SizeVar(1), SizeVar(2)
        size = floordiv(add(var(a), 1), var(b))
        assert free_vars(size) == {a, b}
        b.bound = 2
        a.bound = mul(2, H)
        assert normal(size) == H
        assert free_vars(size) == frozenset()
        assert free_syms(size) == {"m::H"}
        assert equal(size, H) == PROVED

    def test_a_long_chain(self) -> None:
        chain = [SizeVar(place) for place in range(100_000)]
        for older, younger in pairwise(chain):
            younger.bound = var(older)
        assert normal(var(chain[-1])) == var(chain[0])
        chain[0].bound = H
        assert all(normal(var(unknown)) == H for unknown in chain[::1000])

    def test_a_diamond(self) -> None:
        unknowns = [SizeVar(place) for place in range(64)]
        for older, younger in pairwise(unknowns):
            younger.bound = sub(add(var(older), mul(2, var(older))), mul(2, var(older)))
        unknowns[0].bound = W
        assert normal(var(unknowns[-1])) == W

    def test_a_circle_is_an_internal_error(self) -> None:
        a, b = SizeVar(1), SizeVar(2)
        a.bound, b.bound = add(var(b), 1), add(var(a), 1)
        with pytest.raises(RuntimeError):
            normal(var(a))

    def test_substitution_is_simultaneous(self) -> None:
        size = add(floordiv(H, 2), mul(W, 3))
        assert substitute(size, {"m::H": W, "m::W": H}) == add(floordiv(W, 2), mul(H, 3))
        assert substitute(size, {"m::D": 1}) is size
        assert substitute(size, {"m::H": 7, "m::W": 1}) == 6


@pytest.mark.parametrize(
    ("size", "spec", "python"),
    [
        (7, "7", "7"),
        (mul(3, D), "3 * D", "3 * D"),
        (floordiv(H, 2), "H // 2", "H // 2"),
        (add(floordiv(sub(H, 3), 2), 1), "(H + 1) // 2 - 1", "(H + 1) // 2 - 1"),
        (exact_div(H, 2), "H / 2", "H // 2"),
        (exact_div(add(H, W), 2), "H / 2 + W / 2", "(H + W) // 2"),
        (exact_div(add(H, 1), 2), "(H + 1) / 2", "(H + 1) // 2"),
        (mul(D, floordiv(H, 2)), "D * (H // 2)", "D * (H // 2)"),
        (sub(3, H), "3 - H", "3 - H"),
        (neg(floordiv(H, 2)), "-(H // 2)", "-(H // 2)"),
        (neg(mul(2, H)), "-2 * H", "-2 * H"),
        (power(H, 2), "H^2", "H**2"),
        (floordiv(mul(2, H), 3), "2 * H // 3", "2 * H // 3"),
        (floordiv(add(floordiv(H, 2), floordiv(W, 3)), 4), "(H // 2 + W // 3) // 4", "(H // 2 + W // 3) // 4"),
        (floordiv(H, sub(W, 1)), "H // (W - 1)", "H // (W - 1)"),
        (floordiv(H, mul(W, D)), "H // (D * W)", "H // (D * W)"),
        (floordiv(H, floordiv(W, 2)), "H // (W // 2)", "H // (W // 2)"),
        (floordiv(floordiv(H, W), D), "(H // W) // D", "(H // W) // D"),
    ],
)
def test_show(size: Size | None, spec: str, python: str) -> None:
    assert size is not None
    assert show(size) == spec
    assert to_python(size, lambda name: name.removeprefix("m::")) == python


def test_show_unknowns_and_width() -> None:
    a = SizeVar(7, hint="n")
    assert show(add(var(a), var(SizeVar(8)))) == "?n + ?8"
    with pytest.raises(SizeError):
        to_python(var(a), str)
    assert show(add(mul(3, D), 1), width=5) == "3 * …"


def test_the_fast_paths_are_fast() -> None:
    left = add(add(mul(3, H), mul(2, W)), D)
    right = add(add(D, mul(2, W)), mul(3, H))
    assert isinstance(left, Poly)
    assert left is not right

    assert steps(lambda: add(3, 4)) < 15
    assert steps(lambda: mul(3, 4)) < 15
    assert steps(lambda: equal(left, right, NO_FACTS)) < 30
