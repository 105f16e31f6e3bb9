"""Texts with mistakes: each is told once, in the words of the language, and what is whole is still read."""

from __future__ import annotations

import pytest

from catdl.check.names import pattern_names
from catdl.source import Source
from catdl.syntax import ast
from catdl.syntax.parser import parse
from tests.syntax.trees import told

M = "morphism m : A -> B = "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (M + "x >> >> y", "1:28 expected an expression after `>>`, found `>>`"),
        (M + "f x", "1:25 expected an operator after `f`, found `x`"),
        (M + "f(a b)", "1:27 expected `,`, `)` or an operator after `a`, found `b`"),
        (M + "f(", "1:24 this `(` is not closed"),
        (M + "f(a]", "1:26 `(` is closed by `]`"),
        (M + "f)", "1:24 this `)` closes nothing"),
        (M + "{}", "1:24 expected a statement after `{`, found `}`"),
        (M + "{ x = 3 }", "1:25 a block ends with an expression, its value"),
        (M + "{ f(3) = 3\n x }", "1:25 before `=` stands a name or a tuple of names"),
        (M + "f(x) => y", "1:23 before `=>` stands a name or a tuple of names"),
        (M + "[a for f(b) in c]", "1:30 after `for` stands a name or a tuple of names"),
        (M + "[a for b c]", "1:32 expected `in` or an operator after `b`, found `c`"),
        (M + "if a then b", "1:34 expected `else` after `b`, found the end of the file"),
        (M + "x + y >> g", "1:23 `+` before `>>` needs parentheses"),
        (M + "g >> n: x * y >> h", "1:31 `*` before `>>` needs parentheses"),
        (M + "a >> x => y", "1:28 a lambda that is a step needs parentheses"),
        (M + "a.b: g >> h", "1:23 before `:` stands one name"),
        (M + "f >> a.*.b", "1:28 a pattern of names belongs before `:` or `=` in a plug"),
        (M + "f(x + 1 = 3)", "1:25 before `=` stands the name of an argument"),
        (M + '"abc', "1:23 this text is not closed on its line"),
        (M + 'f("abc)', "1:25 this text is not closed on its line"),
        (M + '"a\\qc"', "1:25 `\\q` stands for nothing"),
        (M + "f >> ;;", "1:28 `;;` is not part of the language"),
        (M + "f >> \u200b g", "1:28 `U+200B` is not part of the language"),
        (M + "1e99999999999", "1:23 this number has more than 300 digits"),
        (M + "1" * 301, "1:23 this number has more than 300 digits"),
        ("morphism f : A = g", "1:16 expected `->` after `A`, found `=`"),
        ("morphism f : A -> = g", "1:19 expected a type after `->`, found `=`"),
        ("morphism f : A -> B -> C = g", "1:21 expected `=` or the end of the declaration after `B`, found `->`"),
        ("morphism f(n : ) = g", "1:16 expected a type after `:`, found `)`"),
        ("morphism = g", "1:10 expected a name after `morphism`, found `=`"),
        ("morphism f : A ->", "1:18 expected a type after `->`, found the end of the file"),
        ("object X Real", "1:10 expected `[` or `=` after `X`, found `Real`"),
        ("param w Real", "1:9 expected `:` after `w`, found `Real`"),
        ("kind A : fre B", "1:10 expected `free` or `earned`, found `fre`"),
        ("dim A =", "1:8 expected an expression after `=`, found the end of the file"),
        ("dim A, = 4", "1:8 expected a name after `,`, found `=`"),
        ("where N", "1:8 expected `|`, `==`, `>=` or `<=` after `N`, found the end of the file"),
        ("from a.b x", "1:10 expected `import` after `b`, found `x`"),
        ("overload mul : A", "1:17 expected `->` or `=` after `A`, found the end of the file"),
        ("law x : f == g where D >= 3", "1:16 expected the end of the declaration after `g`, found `where`"),
        ("morphsim f = g", "1:1 expected a declaration, found `morphsim`"),
        ("functor L X = () + X", "1:11 expected `(` or `[` after `L`, found `X`"),
        ("algebra a : L = {\n x\n y\n}", "1:15 expected `->` after `L`, found `=`"),
        ("learner l {\n data = \n stop = x\n}", "2:8 expected an expression after `=`, found the end of the line"),
    ],
)
def test_one_mistake_is_told_once(text: str, expected: str) -> None:
    assert told(text) == [expected]
    assert told(f"dim First = 1\n{text}\ndim Last = 2")[0].split(" ", 1)[1].startswith(expected.split(" ", 1)[1][:20])


def names(text: str) -> list[str]:
    module, _ = parse(Source("m.cat", text))
    return [getattr(decl, "name", type(decl).__name__) for decl in module.decls]


def test_several_mistakes_in_one_file() -> None:
    text = """
morphism a : A -> B = x => {
    y = = x
    z = b c
    box h = f(
    w = z >> h
    w
}
morphism b : A = relu
dim C
object d = Real[T -> 3
where 3 |
morphism e : A -> B = relu >> >>
morphism f : A -> B where | = g
dim H = , I = 3
"""
    lines = told(text)
    assert [line.split(":")[0] for line in lines] == ["3", "4", "5", "9", "11", "12", "13", "14", "15"]
    assert names(text) == ["a", "b", "C", "d", "e", "f", "H", "I"]


def test_a_broken_statement_leaves_the_others() -> None:
    text = M + "x => {\n    y = f(a b,\n        c)\n    z = x >> g\n    z )\n}"
    module, found = parse(Source("m.cat", text))
    (decl,) = module.decls
    assert isinstance(decl, ast.Morphism)
    assert isinstance(decl.body, ast.Lambda)
    block = decl.body.body
    assert isinstance(block, ast.Block)
    assert [type(statement).__name__ for statement in block.statements] == ["Bind", "Bind"]
    assert isinstance(block.statements[0], ast.Bind)
    assert isinstance(block.statements[0].value, ast.Bad)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("y = = x", ["y"]),
        ("a, b = f(", ["a", "b"]),
        ("box g = )", ["g"]),
        ("param w : = x", ["w"]),
        ("let y = x", ["y"]),
    ],
)
def test_a_broken_statement_keeps_the_names_it_binds(text: str, left: list[str]) -> None:
    (decl,) = parse(Source("m.cat", f"{M}{{\n    {text}\n    y\n}}"))[0].decls
    assert isinstance(decl, ast.Morphism)
    assert isinstance(decl.body, ast.Block)
    kept = [s.pattern for s in decl.body.statements if isinstance(s, ast.Bind)]
    assert [name for pattern in kept for name in pattern_names(pattern)] == left


def test_a_broken_signature_leaves_the_body() -> None:
    (decl,) = parse(Source("m.cat", "morphism f : A -> (B @) = g >> h"))[0].decls
    assert isinstance(decl, ast.Morphism)
    assert isinstance(decl.signature, ast.Bad)
    assert isinstance(decl.body, ast.Seq)


def test_a_broken_body_leaves_the_signature() -> None:
    (decl,) = parse(Source("m.cat", "morphism f : A -> B = g >> >>"))[0].decls
    assert isinstance(decl, ast.Morphism)
    assert isinstance(decl.signature, ast.Arrow)
    assert isinstance(decl.body, ast.Bad)


@pytest.mark.parametrize("opener", ["f(", "f[a, ", "{ x = f(", "f{", "{\n x = y\n"])
def test_a_forgotten_bracket_spoils_one_declaration(opener: str) -> None:
    text = f"{M}{opener}\n\nmorphism next : A -> B = relu relu\ndim T"
    assert len(told(text)) == 2
    assert names(text) == ["m", "next", "T"]


def test_a_forgotten_bracket_does_not_swallow_the_lines_after_it() -> None:
    text = M + "x => {\n    y = f(x\n    z = g(y)\n    box h = (y\n    z\n}"
    assert [line.split(" ", 1)[0] for line in told(text)] == ["2:10", "4:13"]


def test_stubs_keep_names() -> None:
    text = "dim A = (, B = 3\nobject X =\nparam w\nkind K :\nmorphism f[\nhom g(3 =) : A -> B = h\nfrom m import a, b c"
    module, _ = parse(Source("m.cat", text))
    assert names(text) == ["A", "X", "w", "K", "f", "g", "Import"]
    (last,) = [decl for decl in module.decls if isinstance(decl, ast.Import)]
    assert [name.name for name in last.names] == ["a", "b"]
