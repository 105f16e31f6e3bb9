"""What a text means: precedence, places, declarations, labels."""

from __future__ import annotations

from fractions import Fraction

import pytest

from catdl.source import Source
from catdl.syntax import ast
from catdl.syntax.parser import parse_fragment
from tests.syntax.trees import bare, body, mistakes, parsed


@pytest.mark.parametrize(
    ("loose", "tight"),
    [
        ("x => f >> g", "x => (f >> g)"),
        ("f >> g & h", "f >> (g & h)"),
        ("a & b == c", "a & (b == c)"),
        ("a == b + c", "a == (b + c)"),
        ("a + b @ c", "a + (b @ c)"),
        ("a @ b * c", "a @ (b * c)"),
        ("a * -b", "a * (-b)"),
        ("-a ^ b", "-(a ^ b)"),
        ("a ^ b ^ c", "a ^ (b ^ c)"),
        ("a ^ b(c)", "a ^ (b(c))"),
        ("tied f{w}(n)[T].a", "tied (((f{w})(n))[T].a)"),
        ("f >> g: x => y", "f >> (g: (x => y))"),
        ("f >> g: if a then b else c >> d", "f >> (g: (if a then b else (c >> d)))"),
        ("n: f & m: g >> h", "((n: f) & (m: g)) >> h"),
        ("n: f @ g & h", "(n: (f @ g)) & h"),
        ("if a then x => y else z => w", "if a then (x => y) else (z => w)"),
        ("a ⊗ b", "a @ b"),
        ("f >> as Probs", "f >> as(Probs)"),
        ("f(a,)", "f(a)"),
    ],
)
def test_precedence(loose: str, tight: str) -> None:
    assert bare(body(loose)) == bare(body(tight))


@pytest.mark.parametrize(
    ("one", "other"),
    [("(a @ b) @ c", "a @ b @ c"), ("(f >> g) >> h", "f >> g >> h"), ("(a,)", "a"), ("a - (b - c)", "a - b - c")],
)
def test_parentheses_are_kept_apart(one: str, other: str) -> None:
    assert bare(body(one)) != bare(body(other))


def test_chains_are_flat() -> None:
    chain = body("a + b - c")
    assert isinstance(chain, ast.Chain)
    assert (len(chain.operands), chain.operators) == (3, ("+", "-"))
    product = body("a * b // c / d")
    assert isinstance(product, ast.Chain)
    assert product.operators == ("*", "//", "/")


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("0.5", Fraction(1, 2)), ("1e-3", Fraction(1, 1000)), ("2.0", Fraction(2)), ("1E2", Fraction(100))],
)
def test_numbers_are_exact(text: str, value: int | Fraction) -> None:
    number = body(text)
    assert isinstance(number, ast.Number)
    assert (number.value, number.text, type(number.value)) == (value, text, type(value))


def test_texts_are_unescaped() -> None:
    text = body(r'"a\"b\\c\n\té"')
    assert isinstance(text, ast.Text)
    assert text.value == 'a"b\\c\n\té'


def args(text: str) -> list[tuple[str | None, str, str]]:
    node = body(text)
    assert isinstance(node, ast.Call | ast.Index | ast.Plug | ast.Tuple)
    items = node.args if isinstance(node, ast.Call) else node.items
    return [(arg.name, arg.sep, type(arg.value).__name__) for arg in items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(a, n = 3)", [(None, "", "Name"), ("n", "=", "Number")]),
        ("f(up: g, g: x => y)", [(None, "", "Labelled"), (None, "", "Labelled")]),
        ("f(up: g >> h)", [(None, "", "Seq")]),
        ("Real[C: 3, ..S, ..]", [("C", ":", "Number"), (None, "", "Splice"), (None, "", "Splice")]),
        ("rename[A -> B]", [(None, "", "Arrow")]),
        ("Real[t, (h d)]", [(None, "", "Name"), (None, "", "Tuple")]),
        ("f{w}", [(None, "", "Name")]),
        ("f{weight = w}", [("weight", "=", "Name")]),
        (
            "f{**: z, a.*.w: w => x, *.{q, v} = y}",
            [("**", ":", "Name"), ("a.*.w", ":", "Lambda"), ("*.{q,v}", "=", "Name")],
        ),
        (
            "f{{q, v}.w: z, {a}: {\n b = y\n b\n}, {0,2}.* = y}",
            [("{q,v}.w", ":", "Name"), ("{a}", ":", "Block"), ("{0,2}.*", "=", "Name")],
        ),
        ("f{{\n a = b\n a\n}, c = {\n d\n}}", [(None, "", "Block"), ("c", "=", "Block")]),
        ("(q = a, k: b, c)", [("q", "=", "Name"), ("k", ":", "Name"), (None, "", "Name")]),
        ("(q = a)", [("q", "=", "Name")]),
        ("((q: a), b)", [(None, "", "Labelled"), (None, "", "Name")]),
    ],
)
def test_items(text: str, expected: list[tuple[str | None, str, str]]) -> None:
    assert args(text) == expected


def test_merged_axes_with_and_without_sizes() -> None:
    assert bare(body("Real[(h d)]")) == bare(body("Real[(h, d)]"))
    index = body("Real[(h: 12, d: 64)]")
    assert isinstance(index, ast.Index)
    merged = index.items[0].value
    assert isinstance(merged, ast.Tuple)
    assert [(arg.name, arg.sep) for arg in merged.items] == [("h", ":"), ("d", ":")]
    assert mistakes("morphism m = (h d)"), "outside a type, two names side by side are a mistake"


def test_spans_are_those_of_the_text() -> None:
    text = "morphism m = (a + b) >> f(n = (x), y)  # end"
    module = parsed(text)
    (decl,) = module.decls
    assert isinstance(decl, ast.Morphism)
    assert text[decl.start : decl.end] == "morphism m = (a + b) >> f(n = (x), y)"
    assert text[decl.name_start : decl.name_end] == "m"
    seq = decl.body
    assert isinstance(seq, ast.Seq)
    assert text[seq.start : seq.end] == "(a + b) >> f(n = (x), y)"
    chain, call = seq.steps
    assert text[chain.start : chain.end] == "a + b"
    assert isinstance(call, ast.Call)
    assert [text[arg.start : arg.end] for arg in call.args] == ["n = (x)", "y"]


def test_dims() -> None:
    dims = parsed("dim A = 8, B, T : time, N : var set\ndim X = 3 : vector(O), Dh = D / Head").decls
    found = [(dim.name, dim.size is not None, len(dim.roles)) for dim in dims if isinstance(dim, ast.Dim)]
    assert found == [
        ("A", True, 0),
        ("B", False, 0),
        ("T", False, 1),
        ("N", False, 2),
        ("X", True, 1),
        ("Dh", True, 0),
    ]


def test_kinds() -> None:
    kinds = parsed("kind Real\nkind Std : free Positive\nkind Probs[A] of Prob : earned Positive").decls
    assert [bare(kind)[1:6] for kind in kinds] == [
        (("name", "Real"), ("axis", None), ("element", None), ("access", ""), ("base", None)),
        (("name", "Std"), ("axis", None), ("element", None), ("access", "free"), ("base", "Positive")),
        (("name", "Probs"), ("axis", "A"), ("element", "Prob"), ("access", "earned"), ("base", "Positive")),
    ]


def test_morphisms() -> None:
    (decl,) = parsed(
        "core native morphism f[X, ..S, A : axis, O : object](n, 0, -1, tied g : X -> X = id, b : bool = true)\n"
        "    : X @ Real[..S] ~> X\n"
        "    where 2 | n, n >= 1\n"
        "    = g"
    ).decls
    assert isinstance(decl, ast.Morphism)
    assert (decl.name, decl.keyword, decl.modifiers) == ("f", "morphism", ("core", "native"))
    assert [(b.name, b.row, b.sort) for b in decl.binders] == [
        ("X", False, None),
        ("S", True, None),
        ("A", False, "axis"),
        ("O", False, "object"),
    ]
    assert decl.params is not None
    assert [(p.name, p.tie, p.literal is not None) for p in decl.params] == [
        ("n", None, False),
        (None, None, True),
        (None, None, True),
        ("g", "tied", False),
        ("b", None, False),
    ]
    assert isinstance(decl.signature, ast.Arrow)
    assert decl.signature.random
    assert decl.where is not None
    assert [fact.op for fact in decl.where.facts] == ["|", ">="]


@pytest.mark.parametrize(
    ("text", "keyword", "modifiers"),
    [
        ("hom f : A -> B = g", "hom", ()),
        ('extern morphism f : A -> B = python("a:B", n = 1)', "extern", ()),
        ("native morphism f : A -> B", "morphism", ("native",)),
        ("core hom f : A -> B", "hom", ("core",)),
        ("morphism f = g", "morphism", ()),
        ("morphism f() = g", "morphism", ()),
    ],
)
def test_words_before_a_morphism(text: str, keyword: str, modifiers: tuple[str, ...]) -> None:
    (decl,) = parsed(text).decls
    assert isinstance(decl, ast.Morphism)
    assert (decl.keyword, decl.modifiers) == (keyword, modifiers)


def test_overloads() -> None:
    text = 'overload exp : A -> B\noverload mul : A @ B -> never "no"\noverload scale(1/2) : A -> B'
    found = [decl for decl in parsed(text).decls if isinstance(decl, ast.Overload)]
    assert [(o.name, len(o.args), o.codomain is None, o.message) for o in found] == [
        ("exp", 0, False, ""),
        ("mul", 0, True, "no"),
        ("scale", 1, False, ""),
    ]


def test_imports() -> None:
    (decl,) = parsed("from a.core import block, D as Width,\n    x").decls
    assert isinstance(decl, ast.Import)
    assert decl.module == "a.core"
    assert [(name.name, name.alias) for name in decl.names] == [("block", "block"), ("D", "Width"), ("x", "x")]


def test_statements() -> None:
    block = body("{\n q, (k, v) = x\n box tied h = f\n param w : Real[D] ~ normal(0, 1) if bias\n f >> discard\n ()\n}")
    assert isinstance(block, ast.Block)
    assert [type(statement).__name__ for statement in block.statements] == ["Bind", "Box", "LocalParam", "Seq"]
    assert isinstance(block.result, ast.Tuple)


def test_docs_belong_to_the_declaration_below() -> None:
    text = (
        "# not this\n## one\n##\n##   two\ndim A, B\n## lost\n\ndim C\n"
        "  ## three\r\nkind K # four\n## five\nnative morphism f"
    )
    assert [getattr(decl, "doc", None) for decl in parsed(text).decls] == [
        "one\n\n  two",
        "one\n\n  two",
        "",
        "three",
        "five",
    ]


def test_a_fragment_keeps_its_places() -> None:
    text = "dim A\n## about f\nmorphism f = g >> h\ndim B"
    source = Source("m.cat", text)
    start, end = text.index("morphism"), text.index("\ndim B")
    module, found = parse_fragment(source, start, end)
    assert not found
    (decl,) = module.decls
    assert isinstance(decl, ast.Morphism)
    assert (decl.start, decl.end, decl.doc) == (start, end, "about f")


def test_empty_texts() -> None:
    assert [parsed(text).decls for text in ("", "\n\n", "# only\n", "## doc\n  ")] == [()] * 4
