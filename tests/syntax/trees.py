"""Trees to test with: random ones, and trees without their places."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from catdl.diagnostics.base import Diagnostic
from catdl.record import names as fields_of
from catdl.source import Source
from catdl.syntax import ast
from catdl.syntax.parser import parse
from catdl.syntax.printer import show


def bare(node: Any) -> Any:
    """A tree as nested tuples, without spans."""
    if isinstance(node, tuple):
        return tuple(bare(item) for item in node)
    if not hasattr(type(node), "__match_args__"):
        return node
    places = ("start", "end", "name_start", "name_end", "module_start", "module_end")
    named = tuple((name, bare(getattr(node, name))) for name in fields_of(type(node)) if name not in places)
    return (type(node).__name__, *named)


def parsed(text: str) -> ast.Module:
    """The tree of a text without mistakes."""
    module, found = parse(Source("test.cat", text))
    assert not found, [mistake.parts().message for mistake in found]
    return module


def mistakes(text: str) -> list[Diagnostic]:
    """What is wrong with a text."""
    return parse(Source("test.cat", text))[1]


def told(text: str) -> list[str]:
    """What is wrong with a text, as `line:column message`."""
    lines = []
    for mistake in mistakes(text):
        assert mistake.span is not None
        lines.append(f"{mistake.span.line}:{mistake.span.column} {mistake.parts().message}")
    return lines


def body(text: str) -> ast.Expr:
    """The tree of an expression."""
    (decl,) = parsed(f"morphism m = {text}").decls
    assert isinstance(decl, ast.Morphism)
    assert decl.body is not None
    return decl.body


def _plain(value: ast.Expr) -> ast.Arg:
    return ast.Arg(None, "", value, 0, 0)


WORDS = """
    f g x relu dim kind object box param where core time native from hom state T' a_1
"""
names = st.sampled_from(WORDS.split())
_names = names.map(lambda word: ast.Name(word, 0, 0))
_numbers = st.sampled_from(["0", "12", "0.5", "1e-3", "2.0"]).map(
    lambda text: body(text)  # the value as the parser reads it
)
_texts = st.text(alphabet='ab"\\\n\t->(⊗', max_size=6).map(lambda text: ast.Text(text, 0, 0))
_patterns = st.recursive(
    _names,
    lambda inner: st.lists(inner.map(_plain), max_size=3).map(lambda items: ast.Tuple(tuple(items), 0, 0)),
    max_leaves=4,
)


def _several(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(inner, min_size=2, max_size=3).map(tuple)


def _arrows(inner: st.SearchStrategy[ast.Expr]) -> st.SearchStrategy[ast.Expr]:
    return st.builds(ast.Arrow, inner, inner, st.booleans(), st.just(0), st.just(0))


def _args(inner: st.SearchStrategy[ast.Expr], seps: tuple[str, ...]) -> st.SearchStrategy[tuple[ast.Arg, ...]]:
    splices = st.builds(ast.Splice, st.none() | names, st.just(0), st.just(0))
    kinds = [(inner | _arrows(inner) | splices).map(_plain)]
    kinds += [st.builds(ast.Arg, names, st.just(sep), inner, st.just(0), st.just(0)) for sep in seps]
    return st.lists(st.one_of(kinds), max_size=3).map(tuple)


def _plugs(inner: st.SearchStrategy[ast.Expr]) -> st.SearchStrategy[tuple[ast.Arg, ...]]:
    paths = st.sampled_from(["**", "*", "a.b", "block.*.w", "**.{q,v}.weight", "x"])
    item = st.builds(ast.Arg, paths, st.sampled_from("=:"), inner, st.just(0), st.just(0))
    return st.lists(item | inner.map(_plain), max_size=3).map(tuple)


def _chains(inner: st.SearchStrategy[ast.Expr]) -> st.SearchStrategy[ast.Expr]:
    def chain(signs: tuple[str, ...]) -> st.SearchStrategy[ast.Expr]:
        return st.lists(st.tuples(st.sampled_from(signs), inner), min_size=1, max_size=3).flatmap(
            lambda rest: inner.map(
                lambda first: ast.Chain((first, *[o for _, o in rest]), tuple(s for s, _ in rest), 0, 0)
            )
        )

    return chain(("+", "-")) | chain(("*", "/", "//")) | chain(("==", "!=", "<", "<=", ">", ">="))


def _statements(inner: st.SearchStrategy[ast.Expr]) -> st.SearchStrategy[Any]:
    zero = st.just(0)
    return st.one_of(
        st.builds(ast.Bind, _patterns, inner, zero, zero),
        st.builds(ast.Box, names, st.sampled_from([None, "tied", "fresh"]), inner, zero, zero),
        st.builds(ast.Emit, names, inner, zero, zero),
        st.builds(ast.LocalParam, names, inner, st.none() | inner, st.none() | inner, st.just(False), zero, zero),
        st.builds(ast.LocalParam, names, inner, inner, st.none(), st.just(True), zero, zero),
        st.builds(ast.Store, names, inner, zero, zero),
        inner,
    )


def _tuple(items: tuple[ast.Arg, ...]) -> ast.Expr:
    return ast.Tuple(items, 0, 0)


def _grow(inner: st.SearchStrategy[ast.Expr]) -> st.SearchStrategy[ast.Expr]:
    zero = st.just(0)
    return st.one_of(
        st.builds(ast.Seq, _several(inner), zero, zero),
        st.builds(ast.Fan, _several(inner), zero, zero),
        st.builds(ast.Tensor, _several(inner), zero, zero),
        _chains(inner),
        st.builds(ast.Negate, inner, zero, zero),
        st.builds(ast.Power, inner, inner, zero, zero),
        st.builds(ast.Lambda, _patterns, inner, zero, zero),
        st.builds(ast.Labelled, names, inner, zero, zero),
        st.builds(ast.Tie, st.sampled_from(["tied", "fresh"]), inner, zero, zero),
        st.builds(ast.If, inner, inner, inner, zero, zero),
        st.builds(ast.Call, inner, _args(inner, ("=",)), zero, zero),
        st.builds(ast.Index, inner, _args(inner, ("=", ":")), zero, zero),
        st.builds(ast.Plug, inner, _plugs(inner), zero, zero),
        st.builds(ast.Field, inner, names, zero, zero),
        st.builds(ast.List, st.lists(inner, max_size=3).map(tuple), zero, zero),
        st.builds(ast.Copair, _several(inner), zero, zero),
        st.builds(ast.Comprehension, inner, _patterns, inner, zero, zero),
        _args(inner, ("=", ":")).map(_tuple),
        st.builds(ast.Block, st.lists(_statements(inner), max_size=3).map(tuple), inner, zero, zero),
        _arrows(inner),
    )


exprs = st.recursive(_names | _numbers | _texts, _grow, max_leaves=12)

_zero = st.just(0)
_docs = st.lists(st.sampled_from(["", "what it is", "  indented", "# more"]), max_size=2).map("\n".join)
_facts = st.builds(ast.Fact, exprs, st.sampled_from(["|", "==", ">=", "<=", ">", "<"]), exprs, _zero, _zero)
_wheres = st.builds(ast.Where, st.lists(_facts, min_size=1, max_size=2).map(tuple), _zero, _zero)
_roles = st.lists(
    _names | st.builds(ast.Call, _names, _args(exprs, ("=",)).filter(bool), _zero, _zero), max_size=2
).map(tuple)
_binders = st.builds(ast.Binder, names, st.just(True), st.none(), _zero, _zero) | st.builds(
    ast.Binder, names, st.just(False), st.none() | names, _zero, _zero
)
_params = st.one_of(
    st.builds(
        ast.StaticParam,
        names,
        st.none(),
        st.sampled_from([None, "tied", "fresh"]),
        st.none() | exprs,
        st.none() | exprs,
        _zero,
        _zero,
    ),
    (_numbers | _texts).map(lambda literal: ast.StaticParam(None, literal, None, None, None, 0, 0)),
)
_words = st.sampled_from(
    [("morphism", ()), ("hom", ()), ("extern", ()), ("morphism", ("native",)), ("hom", ("core", "native"))]
)


def _morphism(words: tuple[str, tuple[str, ...]], name: str, *rest: Any) -> ast.Morphism:
    binders, params, signature, where, value, doc = rest
    return ast.Morphism(name, *words, binders, params, signature, where, value, 0, 0, 0, 0, doc)


_morphisms = st.builds(
    _morphism,
    _words,
    names,
    st.lists(_binders, max_size=2).map(tuple),
    st.none() | st.lists(_params, max_size=2).map(tuple),
    st.none() | _arrows(exprs),
    st.none() | _wheres,
    st.none() | exprs,
    _docs,
)
_laws = st.builds(
    lambda name, binders, params, arrow, where, body, doc: ast.Morphism(
        name, "law", (), binders, params, arrow, where if arrow is not None else None, body, 0, 0, 0, 0, doc
    ),
    names,
    st.lists(_binders, max_size=2).map(tuple),
    st.none() | st.lists(_params, max_size=2).map(tuple),
    st.none() | _arrows(exprs),
    st.none() | _wheres,
    exprs,
    _docs,
)
_imports = st.builds(
    ast.Import,
    st.sampled_from(["a", "layers.core"]),
    st.lists(st.builds(ast.ImportName, names, names, _zero, _zero), min_size=1, max_size=2).map(tuple),
    *[_zero] * 4,
)
_overloads = st.builds(
    ast.Overload,
    names,
    _args(exprs, ("=",)),
    exprs,
    st.none() | exprs,
    st.sampled_from(["", "a message"]),
    _zero,
    _zero,
)
_access = st.sampled_from(["free", "earned"])
_kinds = st.one_of(
    st.builds(ast.Kind, names, names, st.none() | names, _access, names, _zero, _zero, _docs),
    st.builds(ast.Kind, names, st.none(), st.none(), _access, names, _zero, _zero, _docs),
    st.builds(ast.Kind, names, st.none(), st.none(), st.just(""), st.none(), _zero, _zero, _docs),
)

# `on {` is read as the name `on` and a plug: no dim begins with a brace.
_places = exprs.filter(lambda node: not show(node).startswith("{"))

decls = st.one_of(
    st.builds(ast.Dim, names, st.none() | exprs, _roles, _zero, _zero, _docs),
    _wheres,
    _kinds,
    st.builds(ast.Object, names, exprs, _zero, _zero, _docs),
    st.builds(ast.Functor, names, st.lists(_binders, max_size=2).map(tuple), names, exprs, _zero, _zero, _docs),
    st.builds(ast.Param, names, exprs, st.none() | exprs, _zero, _zero, _docs),
    st.builds(
        ast.Group,
        names,
        st.sampled_from(["group", "monoid"]),
        st.lists(_places, min_size=1, max_size=2).map(tuple),
        st.none() | _wheres,
        exprs,
        _zero,
        _zero,
        _docs,
    ),
    _morphisms,
    _laws,
    _overloads,
    _imports,
)


def _clear(module: ast.Module) -> bool:
    """No `where` that would be read as a part of the morphism above."""
    pairs = zip(module.decls, module.decls[1:], strict=False)
    return not any(
        isinstance(one, ast.Morphism) and one.body is None and one.where is None and isinstance(two, ast.Where)
        for one, two in pairs
    )


modules = st.lists(decls, max_size=4).map(lambda items: ast.Module(tuple(items))).filter(_clear)
