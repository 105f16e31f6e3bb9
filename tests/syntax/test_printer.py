"""The printer: what it prints parses to the same tree, and has no needless parentheses."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from catdl.syntax import ast
from catdl.syntax.printer import show
from tests.syntax.trees import bare, body, exprs, modules, parsed


@given(exprs)
def test_expressions_come_back(expr: ast.Expr) -> None:
    assert bare(body(show(expr))) == bare(expr)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(modules)
def test_modules_come_back(module: ast.Module) -> None:
    text = show(module)
    assert bare(parsed(text)) == bare(module)
    assert show(parsed(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "x => x + (x >> f)",
        "(x + y) >> f >> x + y",
        "a >> n: (x + y) >> g",
        "f >> g: x => y >> h",
        "f >> (x => y)",
        "a & b >> c",
        "a @ b * c + -d ^ 2 ^ -e",
        "(a & b) @ (c >> d)",
        "if n == 0 then x => y else f >> if m then a else b",
        "Real[t, (h d), C: 3 * 4, ..S, ..]",
        "Real[(h: 12, d: 64)] ^ 2",
        "rename[A -> B](f)(n = 3, a: g >> h){**: frozen, a.*.w = x => y, v}",
        "[f(c, s) for (c, s) in [(1, 2), (3, 4)]]",
        "repeat(12, fresh f) >> tied g{w}",
        '(q = a, k = b) >> "a\\n\\"b\\""',
        "(a,)",
        "()",
        "{\n    q, k = x\n    box tied h = f\n    param w : T ~ zeros if bias\n    (-q @ k)\n}",
    ],
)
def test_printed_as_written(text: str) -> None:
    assert show(body(text)) == text


def test_long_bodies_are_broken() -> None:
    steps = [f"linear({n}0000000000)" for n in range(12)]
    text = show(parsed(f"morphism m : A -> B = {' >> '.join(steps)}"))
    assert max(len(line) for line in text.splitlines()) < 60
    assert bare(parsed(text)) == bare(parsed(f"morphism m : A -> B = {' >> '.join(steps)}"))


def test_chains_take_no_stack() -> None:
    count = 20_000
    text = "morphism m = " + " >> ".join(["relu"] * count)
    assert show(parsed(text)).count(">>") == count - 1
