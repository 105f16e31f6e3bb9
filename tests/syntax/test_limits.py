"""Long texts take linear work and no stack; deep ones are refused with the limit."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from catdl.source import Source
from catdl.syntax import ast
from catdl.syntax.brackets import DEPTH_LIMIT
from catdl.syntax.driver import TREE_LIMIT
from catdl.syntax.parser import parse
from tests.syntax.trees import body, parsed, told
from tests.work import growth

LONG = 100_000
SHORT = 1_000
HEAD = "morphism m : A -> B = "
SHAPES: dict[str, Callable[[int], str]] = {
    "steps": lambda n: HEAD + " >> ".join(["relu"] * n),
    "lines": lambda n: HEAD + "\n    >> ".join(["relu"] * n),
    "labelled": lambda n: HEAD + " >> ".join(["a: relu"] * n),
    "tensor": lambda n: HEAD + " @ ".join(["relu"] * n),
    "fan": lambda n: HEAD + " & ".join(["relu"] * n),
    "sum": lambda n: HEAD + " + ".join(["x"] * n),
    "list": lambda n: HEAD + f"[{', '.join(['x'] * n)}]",
    "calls": lambda n: HEAD + " >> ".join(["f(1)"] * n),
    "declarations": lambda n: "\n".join(f"dim A{i}" for i in range(n)),
    "statements": lambda n: HEAD + "{\n" + "x = y\n" * n + "x\n}",
    "mistakes": lambda n: "\n".join(["morphism f : A -> B = x >> >> y"] * (n // 10)),
    "broken statements": lambda n: HEAD + "{\n" + "x = = y\n" * (n // 10) + "x\n}",
    "comments": lambda n: "# c\n" * n + "dim A\n" + "## d\n" * n + "dim B",
    "stray brackets": lambda n: HEAD + "f" + ")" * (n // 10),
    "open brackets": lambda n: HEAD + "f" + "(" * (n // 10),
    "open braces": lambda n: "morphism m = {\n" * (n // 10),
    "blanks": lambda n: HEAD + "f" + " " * n,
    "bad characters": lambda n: HEAD + "§ " * (n // 10),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_work_is_linear(shape: str) -> None:
    def parsing(count: int) -> Callable[[], object]:
        source = Source("m.cat", SHAPES[shape](count))
        return lambda: parse(source)

    assert growth(parsing, SHORT, 10 * SHORT) < 1.1


def test_long_trees_are_flat() -> None:
    for sign in (">>", "@", "+"):
        match body(f" {sign} ".join(["relu"] * LONG)):
            case ast.Seq(steps=parts) | ast.Tensor(legs=parts) | ast.Chain(operands=parts):
                assert len(parts) == LONG
            case other:
                raise AssertionError(other)
    assert len(parsed("\n".join(["dim A"] * LONG)).decls) == LONG


def test_brackets_may_nest_to_the_limit() -> None:
    for opener, closer in ("()", "[]"):
        assert not told(HEAD + opener * DEPTH_LIMIT + "x" + closer * DEPTH_LIMIT)
        assert told(HEAD + opener * (DEPTH_LIMIT + 1) + "x" + closer * (DEPTH_LIMIT + 1)) == [
            f"1:{len(HEAD) + DEPTH_LIMIT + 1} this is nested more than {DEPTH_LIMIT} deep"
        ]


DEEP: dict[str, Callable[[int], str]] = {
    "calls": lambda n: "f" + "(x)" * n,
    "fields": lambda n: "f" + ".a" * n,
    "plugs": lambda n: "f" + "{w}" * n,
    "lambdas": lambda n: "x => " * n + "x",
    "minus": lambda n: "-" * n + "x",
    "powers": lambda n: "x ^ " * n + "x",
    "ties": lambda n: "tied " * n + "x",
    "ifs": lambda n: "if a then b else " * n + "c",
    "thens": lambda n: "if a then " * n + "c" + " else d" * n,
}


@pytest.mark.parametrize("shape", DEEP)
def test_depth_without_brackets_is_refused_too(shape: str) -> None:
    make = DEEP[shape]
    assert not told(HEAD + make(TREE_LIMIT - 1))
    for count in (TREE_LIMIT + 1, 10 * SHORT):
        lines = told(HEAD + make(count) + "\ndim A")
        assert len(lines) == 1
        assert lines[0].endswith(f"this is nested more than {TREE_LIMIT} deep")


def test_deep_texts_leave_the_stack_alone() -> None:
    limit = sys.getrecursionlimit()
    for make in DEEP.values():
        parse(Source("m.cat", HEAD + make(10 * SHORT)))
    for bracket in "([{":
        parse(Source("m.cat", HEAD + bracket * 10 * SHORT))
    assert sys.getrecursionlimit() == limit


def test_a_refused_declaration_leaves_the_others() -> None:
    deep = HEAD + "(" * 200 + "x" + ")" * 200
    module, found = parse(Source("m.cat", f"dim A\n{deep}\ndim B"))
    assert len(found) == 1
    assert [getattr(decl, "name", None) for decl in module.decls] == ["A", "m", "B"]
