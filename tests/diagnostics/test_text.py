"""The picture of a mistake, character by character."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catdl.diagnostics as wrong
from catdl.diagnostics import Edit, Help, Label, Parts
from catdl.diagnostics.base import Derivation, Step, Steps
from catdl.diagnostics.cells import width
from catdl.diagnostics.contrast import contrast
from catdl.diagnostics.text import render
from catdl.source import Source, Span, decode
from tests.work import growth


class Say(wrong.Mistake):
    """A mistake with the words given."""

    code: ClassVar[str] = "E9999"
    title: ClassVar[str] = "a test"

    def __init__(self, span: Span | None, label: str = "", *labels: tuple[Span, str], **more: object) -> None:
        self.span = span
        self._parts = Parts("message", span, label, tuple(Label(*item) for item in labels), **more)  # type: ignore[arg-type]

    @classmethod
    def of(cls, parts: Parts) -> Say:
        """A mistake with these parts."""
        made = cls(parts.span)
        made._parts = parts
        return made

    def parts(self) -> Parts:
        return self._parts


def at(source: Source, text: str, nth: int = 0) -> Span:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(source, start, start + len(text))


def picture(*arguments: object, columns: int = 100, **more: object) -> str:
    """The lines under the head of a mistake, without the first empty one."""
    lines = render([Say(*arguments, **more)], width=columns).splitlines()  # type: ignore[arg-type]
    return "\n".join(lines[3:])


def expect(actual: str, *lines: str) -> None:
    assert actual.splitlines() == list(lines)


def test_whole_report() -> None:
    source = Source("m.cat", "dim D = 8\nmorphism f = linera(10)\n")
    mistake = wrong.UnknownName(at(source, "linera"), "linera", "morphism", ("linear",))
    expect(
        render([mistake]),
        "error[E0101]: there is no morphism called `linera`",
        " --> m.cat:2:14",
        "  |",
        "2 | morphism f = linera(10)",
        "  |              ^^^^^^ not declared or imported",
        "  |",
        "  = help: did you mean `linear`?",
    )


def test_labels_hang_below_each_other() -> None:
    source = Source("m.cat", "x >> foo >> bar\n")
    expect(
        picture(at(source, "bar"), "one", (at(source, "x"), "two"), (at(source, "foo"), "three")),
        "1 | x >> foo >> bar",
        "  | -    ---    ^^^ one",
        "  | |    |",
        "  | |    three",
        "  | two",
    )


def test_same_place_twice() -> None:
    source = Source("m.cat", "foo\n")
    expect(
        picture(at(source, "foo"), "one", (at(source, "foo"), "two")),
        "1 | foo",
        "  | ^^^ two",
        "  | |",
        "  | one",
    )


def test_lines_apart() -> None:
    source = Source("m.cat", "".join(f"line{n}\n" for n in range(1, 13)))
    expect(
        picture(at(source, "line1"), "a", (at(source, "line3"), "b"), (at(source, "line12"), "c")),
        " 1 | line1",
        "   | ^^^^^ a",
        " 2 | line2",
        " 3 | line3",
        "   | ----- b",
        "...",
        "12 | line12",
        "   | ------ c",
    )


def test_wide_characters_take_two_cells_and_marks_none() -> None:
    source = Source("m.cat", "宽e\u0301 >> bad\n")
    expect(picture(at(source, "bad"), "here"), "1 | 宽e\u0301 >> bad", "  |        ^^^ here")
    expect(picture(at(source, "宽"), "here"), "1 | 宽e\u0301 >> bad", "  | ^^ here")


def test_tabs_go_to_the_next_stop() -> None:
    source = Source("m.cat", "\tbad\nab\tbad\n")
    expect(picture(at(source, "bad"), "here"), "1 |     bad", "  |     ^^^ here")
    expect(picture(at(source, "bad", 1), "here"), "2 | ab  bad", "  |     ^^^ here")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_line_ends(end: str) -> None:
    source = Source("m.cat", f"ok{end or chr(10)}bad{end}")
    expect(picture(at(source, "bad"), "here"), "2 | bad", "  | ^^^ here")


def test_bom_moves_no_column() -> None:
    source = decode("m.cat", b"\xef\xbb\xbfbad").source
    assert render([Say(at(source, "bad"))]).splitlines()[1] == " --> m.cat:1:1"


def test_empty_file_and_end_of_file() -> None:
    expect(picture(Span(Source("m.cat", ""), 0, 0), "here"), "1 |", "  | ^ here")
    expect(picture(Span(Source("m.cat", "ab"), 2, 2), "here"), "1 | ab", "  |   ^ here")
    expect(picture(Span(Source("m.cat", "ab\n"), 3, 3), "here"), "2 |", "  | ^ here")
    expect(picture(Span(Source("m.cat", "ab\ncd"), 2, 3), "here"), "1 | ab", "  |   ^ here")


def test_span_of_several_lines_from_the_start_of_one() -> None:
    source = Source("m.cat", "f = {\n  a\n  b\n  c\n  d\n  e\n}\nend\n")
    expect(
        picture(Span(source, 0, source.text.index("}") + 1), "all of it", (at(source, "b"), "this")),
        "1 | / f = {",
        "2 | |   a",
        "3 | |   b",
        "  | |   - this",
        "... |",
        "6 | |   e",
        "7 | | }",
        "  | |_^ all of it",
    )


def test_span_of_several_lines_from_within_one() -> None:
    source = Source("m.cat", "f = {\n  a\n}\n")
    expect(
        picture(Span(source, 4, 11), "this block"),
        "1 |   f = {",
        "  |  _____^",
        "2 | |   a",
        "3 | | }",
        "  | |_^ this block",
    )


def test_nested_spans_have_bars_of_their_own() -> None:
    source = Source("m.cat", "a {\nb {\nc\n}\n}\n")
    outer, inner = Span(source, 0, 13), Span(source, 4, 11)
    expect(
        picture(inner, "inner", (outer, "outer")),
        "1 | /   a {",
        "2 | | / b {",
        "3 | | | c",
        "4 | | | }",
        "  | | |_^ inner",
        "5 | |   }",
        "  | |___- outer",
    )


def test_another_file_has_its_own_section() -> None:
    one, two = Source("one.cat", "aaa\n"), Source("two.cat", "x\nbbb\n")
    expect(
        render([Say(at(one, "aaa"), "here", (at(two, "bbb"), "because of this"))]),
        "error[E9999]: message",
        " --> one.cat:1:1",
        "  |",
        "1 | aaa",
        "  | ^^^ here",
        " ::: two.cat:2:1",
        "  |",
        "2 | bbb",
        "  | --- because of this",
    )


def test_notes_and_edits() -> None:
    source = Source("m.cat", "x >> relu\n")
    span = at(source, "relu")
    helps = (Help("swap first", (Edit(Span(source, span.start, span.start), "swap >> "),)), Help("or think"))
    expect(
        picture(span, "here", notes=("one line", "a table\n  a  b"), helps=helps),
        "1 | x >> relu",
        "  |      ^^^^ here",
        "  |",
        "  = note: one line",
        "  = note: a table",
        "            a  b",
        "  = help: or think",
        "  |",
        "  = help: swap first",
        "1 - x >> relu",
        "1 + x >> swap >> relu",
    )


def test_explanations_are_laid_out() -> None:
    source = Source("m.cat", "x >>\nflatten >> head\n")
    along = Steps((Step("x", "Real[H: 8, W: 7]"),), (Step("flatten", "Real[(H W): 56]"),), 1)
    made = (Derivation("56", "8 * 7", "flatten", at(source, "flatten")), Derivation("T / 2", "", "pool", None))
    sides = contrast("Real[T, D: 64]", "Real[宽, D: 56]")
    parts: dict[str, Any] = {"contrast": sides, "derivations": made, "steps": along, "notes": ("and so on",)}
    expect(
        picture(at(source, "head"), "here", **parts),
        "2 | flatten >> head",
        "  |            ^^^^ here",
        "  |",
        "  = note: expected Real[T, D: 64]",
        "                        ~     ~~",
        "          found    Real[宽, D: 56]",
        "                        ~~     ~~",
        "  = note: `56 = 8 * 7` from `flatten`, line 2",
        "          `T / 2` from `pool`",
        "  = note: the types along the composition:",
        "            x        Real[H: 8, W: 7]",
        "            … 1 more step",
        "            flatten  Real[(H W): 56]",
        "  = note: and so on",
    )
    painted = render([Say(at(source, "head"), **parts)], color=True)
    assert "Real[\x1b[1;31m宽\x1b[0m, D: \x1b[1;31m56\x1b[0m]" in painted
    assert all(len(line) <= 60 for line in picture(at(source, "head"), columns=60, **parts).splitlines())


def test_edits_of_several_lines_and_places() -> None:
    source = Source("m.cat", "a\nb\nc\nd\n")
    edits = (Edit(at(source, "a"), "A\nAA"), Edit(Span(source, 4, 7), ""))
    expect(
        picture(at(source, "a"), helps=(Help("change", edits),)),
        "1 | a",
        "  | ^",
        "  |",
        "  = help: change",
        "1 - a",
        "1 + A",
        "2 + AA",
        "3 - c",
        "4 - d",
        "3 +",
    )


def test_no_place_at_all() -> None:
    expect(
        render([wrong.FileUnreadable("m.cat", "no such file")]),
        "error[E0801]: cannot read `m.cat`: no such file",
    )


def test_control_characters_are_shown_not_obeyed() -> None:
    source = Source("m\x1b[31m.cat", "a\x1b[31mb\u202eevil\n")
    text = render([Say(Span(source, 0, 1), "x\x07y")])
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "a\u241b[31mb\ufffdevil" in text


def test_long_lines_keep_the_place_in_sight() -> None:
    source = Source("m.cat", "x >> " * 10_000 + "bad" + " >> y" * 10_000)
    text = picture(at(source, "bad"), "here", columns=60)
    line, marks = text.splitlines()
    assert width(line) <= 60 and line.startswith("1 | …") and line.endswith("…")
    assert line[marks.index("^") : marks.rindex("^") + 1] == "bad"
    whole = picture(Span(source, 0, len(source.text)), "all", columns=60).splitlines()
    assert all(width(row) <= 80 for row in whole)


def test_labels_and_notes_are_wrapped() -> None:
    source = Source("m.cat", "aaaa bbbb\n")
    words = "many words " * 12
    for line in picture(at(source, "bbbb"), words, notes=(words,), columns=50).splitlines():
        assert width(line) <= 50


def test_report_of_many_mistakes_is_linear() -> None:
    def rendering(count: int) -> Callable[[], object]:
        lines = [f"morphism f{n} = x => {{ y = x >> linera({n}); y + x }}" for n in range(10 * count)]
        source = Source("m.cat", "\n".join(lines))
        places = [at(source, f"linera({n})") for n in range(0, 10 * count, 10)]
        found = [wrong.UnknownName(span, "linera", "morphism", ("linear",)) for span in places]
        assert render(found).count("error[") == count
        return lambda: render(found)

    assert growth(rendering, 20, 200) < 1.1


def test_report_of_many_mistakes_on_one_line_is_linear() -> None:
    def rendering(count: int) -> Callable[[], object]:
        source = Source("m.cat", "\t宽 >> " * (100 * count))
        found = [Say(Span(source, n * 7 + 1, n * 7 + 2), "here") for n in range(0, 100 * count, 100)]
        return lambda: render(found)

    assert growth(rendering, 20, 200) < 1.1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_spans_of_any_text(data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet="ab \t\r\n宽\u0301\x1b", max_size=60))
    source = Source("m.cat", text)
    place = st.tuples(st.integers(-1, len(text) + 1), st.integers(-1, len(text) + 1)).map(sorted)
    spans = data.draw(st.lists(place, min_size=1, max_size=5))
    first, *others = [Span(source, start, end) for start, end in spans]
    columns = data.draw(st.integers(1, 40))
    text = render([Say(first, "the label", *((span, "other") for span in others))], width=columns)
    assert "^" in text and "\x1b" not in text
    assert all(len(line) < 200 for line in text.splitlines())
