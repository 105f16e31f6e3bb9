"""Where a line end counts, and which words are keywords where."""

from __future__ import annotations

import pytest

from catdl.source import Source
from catdl.syntax import ast
from catdl.syntax.layout import lay_out
from catdl.syntax.lexer import lex
from catdl.syntax.tables import load
from tests.syntax.trees import bare, body, parsed


def kinds(text: str) -> str:
    """The kinds of the tokens after layout."""
    return " ".join(lay_out(lex(load(), Source("m.cat", text), 0, len(text), []), []).kinds)


def statements(text: str) -> list[str]:
    block = body("{\n" + text + "\n}")
    assert isinstance(block, ast.Block)
    return [type(statement).__name__ for statement in (*block.statements, block.result)]


def test_a_new_line_is_no_call() -> None:
    assert statements("y = f\n(x, y) >> g") == ["Bind", "Seq"]
    assert statements("y = f\n[x]") == ["Bind", "List"]
    assert statements("y = f\n{\n x\n}") == ["Bind", "Block"]
    assert statements("f(\n x\n)") == ["Call"]
    assert statements("f{\n w\n}") == ["Plug"]


@pytest.mark.parametrize("sign", [">>", "&", "==", "+", "-", "@", "*", "/", "//", "^", ".a", "."])
def test_a_line_goes_on(sign: str) -> None:
    rest = "a" if sign != ".a" else ""
    assert len(statements(f"x\n  {sign} {rest}")) == 1
    if sign != ".a":
        assert len(statements(f"x {sign}\n\n # a comment\n a")) == 1


def test_lines_go_on_around_words_and_signs() -> None:
    one = parsed("morphism m : A -> B = if a then b else x => c")
    other = parsed("morphism m\n : A\n -> B\n =\n if a\n then b\n else\n x\n =>\n c")
    assert bare(one) == bare(other)
    assert bare(parsed("dim A = 1,\n B")) == bare(parsed("dim A = 1, B"))
    assert bare(body("[a\n for x\n in\n b]")) == bare(body("[a for x in b]"))


def test_line_ends_inside_brackets_do_not_count() -> None:
    assert (
        kinds("object x = f(a,\n b\n)[\nc]") == "OBJECT NAME EQUAL NAME LPAR NAME COMMA NAME RPAR LSQB NAME RSQB $END"
    )


def test_line_ends_of_a_block_inside_parentheses_count() -> None:
    assert "NL" in kinds("object x = f({\n a = b\n c\n})")


def test_all_line_ends_are_alike() -> None:
    unix = "dim A\n# c\nmorphism m = {\n x = y\n x\n}\n"
    for end in ("\r\n", "\r"):
        assert kinds(unix.replace("\n", end)) == kinds(unix)


def test_words_are_names_where_they_start_nothing() -> None:
    words = "dim where kind object param morphism hom extern native core overload from import box as time set free"
    for word in words.split():
        assert bare(body(f"f >> {word} >> g({word} = {word})")), word
        assert bare(body(f"x => {{\n {word} = {word} >> {word}({word})\n {word}\n}}")), word
        parsed(f"dim {word} : {word}")
        parsed(f"morphism {word}[{word} : {word}]({word} : {word}) : {word} -> {word} = {word}")


def test_where_belongs_to_the_signature_above() -> None:
    (one,) = parsed("native morphism f : A -> B\n    where 2 | N").decls
    assert isinstance(one, ast.Morphism)
    assert one.where is not None
    names = [type(decl).__name__ for decl in parsed("morphism f : A -> B = g\nwhere 2 | N\nwhere N >= 1").decls]
    assert names == ["Morphism", "Where", "Where"]
    names = [
        type(decl).__name__
        for decl in parsed("morphism f : A -> B where 2 | N\nwhere N >= 1\ndim A\nwhere A > 1").decls
    ]
    assert names == ["Morphism", "Where", "Dim", "Where"]


def test_where_is_a_morphism_in_a_body() -> None:
    assert bare(body("(m, a, b)\n >> where"))
    assert bare(body("(m, a, b) >>\n where"))


def test_a_statement_starts_with_box_or_param_only_before_a_name() -> None:
    assert statements("box h = f\nbox = h\nparam w : T\nparam = w\nbox >> param(w)") == [
        "Box",
        "Bind",
        "LocalParam",
        "Bind",
        "Seq",
    ]


def test_a_word_and_a_name_on_two_lines_start_nothing() -> None:
    assert statements("dim\nf") == ["Name", "Name"]
    assert statements("box\nh") == ["Name", "Name"]
    assert statements("x >> as\ny") == ["Seq", "Name"]
