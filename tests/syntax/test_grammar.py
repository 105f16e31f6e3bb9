"""The grammar has no conflict that lark would settle in silence, and our tables and lexer say what lark itself says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from lark import Lark

from catdl.source import Source
from catdl.syntax.build_decl import Builder
from catdl.syntax.lexer import lex
from catdl.syntax.tables import grammar_text, load

SIGNS = """
    >> => -> ~> == != <= >= // ** .. > < @ ( ) [ ] { } , : = + - * / ^ & | ~ . → ↝ ⊗
"""
PRELUDE = sorted((Path(__file__).parents[2] / "catdl" / "prelude").glob("*.cat"))


@cache
def strict() -> Lark:
    return Lark(
        grammar_text(),
        parser="lalr",
        strict=True,
        start=["start", "decl"],
        keep_all_tokens=True,
        maybe_placeholders=True,
    )


@cache
def basic() -> Lark:
    return Lark(grammar_text(), parser="lalr", lexer="basic", start=["start", "decl"])


def lark_kinds(text: str) -> list[str]:
    """The tokens that lark's own lexer finds."""
    return [token.type for token in basic().lex(text) if token.type != "NL"]


def our_kinds(text: str) -> list[str]:
    return lex(load(), Source("test.cat", text), 0, len(text), []).kinds


def test_no_conflicts() -> None:
    assert strict().rules


@pytest.mark.parametrize("one", SIGNS.split())
def test_every_sign_is_one_token(one: str) -> None:
    assert len(our_kinds(one)) == 1
    assert lark_kinds(one) == our_kinds(one)


def test_tokens_are_larks() -> None:
    rest = ' x T\'\' a_1 1 1.5 1e-3 1..2 "a\\"b" # c\n\n## d\nwhere wherever tied in\r\n'
    text = SIGNS + "".join(SIGNS.split()) + rest
    assert our_kinds(text) == lark_kinds(text)


@pytest.mark.parametrize("path", PRELUDE, ids=lambda path: path.stem)
def test_tokens_of_the_prelude_are_larks(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert our_kinds(text) == lark_kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "morphism m : A -> B = f >> g @ h >> n: linear(3, bias = false){weight = w}",
        "\nmorphism m = x => { q, k = x }\ndim A = 8, B, T : time\n",
        "native morphism f[X, ..S](n, 0) : X ~> Real[(h d)] where 2 | n",
    ],
)
def test_lark_reads_what_we_read(text: str) -> None:
    assert strict().parse(text, start="start").data == "start"


def test_every_action_has_a_method() -> None:
    missing = {
        rule.action
        for rule in load().rules
        if rule.action and rule.origin not in ("start", "decls") and not hasattr(Builder, rule.action)
    }
    assert not missing


def test_no_rule_is_empty() -> None:
    assert all(rule.size for rule in load().rules)
