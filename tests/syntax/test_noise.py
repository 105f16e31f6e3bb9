"""Whatever the text, the parser ends, tells mistakes inside the text, and yields what the printer can print."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from catdl.source import Source, from_text
from catdl.syntax.parser import parse
from catdl.syntax.printer import show

TEXT = (Path(__file__).parents[2] / "catdl" / "prelude" / "norm.cat").read_text(encoding="utf-8")[-3000:]
SIGNS = "( ) [ ] { } , : = + - * / // ^ @ & | ~ . .. ** >> => -> ~> == != < >= # ## \\ ' ; § \x00"
WORDS = """
    dim where kind object param morphism hom extern native core overload from import as box tied fresh if then else for
    in law functor f x T' 1 0.5 1e9 "a" never
"""
PIECES = [*SIGNS.split(), *WORDS.split(), "\n", "\n\n", "\r", "\t", '"']


def check(text: str) -> None:
    source = from_text("m.cat", text).source
    module, found = parse(source)
    for mistake in found:
        assert mistake.span is not None
        assert 0 <= mistake.span.start <= mistake.span.end <= len(source.text)
        assert mistake.parts().message
    assert show(module) is not None
    assert parse(Source("m.cat", source.text)) == (module, found)


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.sampled_from(["", " "]))
def test_any_run_of_tokens(pieces: list[str], between: str) -> None:
    check(between.join(pieces))


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    check(text)


@given(st.integers(0, len(TEXT)), st.integers(0, 12), st.sampled_from(PIECES))
def test_any_slip_of_the_pen(place: int, removed: int, put: str) -> None:
    check(TEXT[:place] + put + TEXT[place + removed :])


@given(st.integers(0, len(TEXT)))
def test_any_half_of_a_file(place: int) -> None:
    check(TEXT[:place])
