"""Mistakes of spelling and grammar: E00xx. Takes tokens and places from the parser; see `base`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Edit, Help, Label, Mistake, Parts
from catdl.diagnostics.words import did_you_mean
from catdl.source import Span

__all__ = [
    "BadArgumentName",
    "BadStepName",
    "BlockWithoutValue",
    "LambdaInside",
    "LooseArithmetic",
    "MismatchedBracket",
    "NestedTooDeep",
    "NotADeclaration",
    "NotAPattern",
    "NumberTooLong",
    "PatternOfPaths",
    "StrayBracket",
    "UnclosedBracket",
    "UnclosedText",
    "UnexpectedToken",
    "UnknownCharacter",
    "UnknownEscape",
    "WrongWord",
]

_SIGNS = {
    ";": "statements and declarations are parted by line ends",
    "×": "write `@` for a product of objects, `*` for one of numbers",
    "∘": "compose from left to right: `f >> g`",
    "\u00a0": "this blank is a no-break space: write an ordinary one",
    "\t": "",
}
QUOTES = "\u201c\u201d\u201e\u2018\u2019`'"
"""What other languages put a text in."""

SPELLINGS = {
    "×": ("*", "@"),
    "·": ("*",),
    "⋅": ("*",),
    "∗": ("*",),
    "÷": ("/",),
    "≥": (">=",),
    "≤": ("<=",),
    "≠": ("!=",),
    "≡": ("==",),
    "≔": ("=",),
    "⇒": ("=>",),
    "↦": ("=>",),
    "⟶": ("->",),
    "≫": (">>",),
    "»": (">>",),
    "−": ("-",),
    "–": ("-",),
    "—": ("-",),
    "²": ("^2", " ^ 2"),
    "³": ("^3", " ^ 3"),
    "…": ("..",),
    "′": ("'",),
    "\u2019": ("'",),
    "\u00a0": (" ",),
}
"""How the language spells a sign; where there are several ways, the first that means something is meant."""


@dataclass(frozen=True, slots=True)
class UnexpectedToken(Mistake):
    """Something that cannot stand where it does. `found` and `expected` are phrases; `after` is the text before."""

    code: ClassVar[str] = "E0001"
    title: ClassVar[str] = "something that cannot stand here"
    span: Span
    found: str
    expected: tuple[str, ...] = ()
    after: str = ""
    hint: str = ""
    edits: tuple[Edit, ...] = ()

    def parts(self) -> Parts:
        if not self.expected:
            return Parts(f"{self.found} cannot stand here", self.span, "not expected here")
        needed = _either(self.expected)
        place = f" after `{self.after}`" if self.after else ""
        helps = (Help(self.hint, self.edits),) if self.hint else ()
        return Parts(f"expected {needed}{place}, found {self.found}", self.span, f"expected {needed}", helps=helps)


@dataclass(frozen=True, slots=True)
class UnknownCharacter(Mistake):
    """Characters that no token has."""

    code: ClassVar[str] = "E0002"
    title: ClassVar[str] = "a character that is not part of the language"
    span: Span
    text: str

    def parts(self) -> Parts:
        shown = self.text if len(self.text) <= 20 else f"{self.text[:20]}…"
        names = shown if shown.isprintable() else " ".join(f"U+{ord(character):04X}" for character in self.text[:8])
        message = f"`{names}` is not part of the language"
        ways = SPELLINGS.get(self.text, ())
        hint = _SIGNS.get(self.text[:1]) or (f"write `{ways[0]}`" if ways else "")
        if not hint and self.text[:1] in QUOTES:
            hint = 'a text stands in double quotes: `"…"`'
        if not hint and self.text.isalpha():
            hint = "names are made of the letters a to z, digits, `_` and primes"
        return Parts(message, self.span, "not read", helps=(Help(hint),) if hint else ())


@dataclass(frozen=True, slots=True)
class UnclosedText(Mistake):
    """A text whose closing quote is not on its line."""

    code: ClassVar[str] = "E0003"
    title: ClassVar[str] = "a text that is not closed"
    span: Span

    def parts(self) -> Parts:
        place = Span(self.span.source, self.span.end, self.span.end)
        helps = (Help('close it with `"`', (Edit(place, '"'),)),)
        return Parts("this text is not closed on its line", self.span, "goes on to the line end", helps=helps)


@dataclass(frozen=True, slots=True)
class UnclosedBracket(Mistake):
    """An opening bracket without its partner."""

    code: ClassVar[str] = "E0004"
    title: ClassVar[str] = "a bracket that is not closed"
    span: Span
    opener: str
    closer: str

    def parts(self) -> Parts:
        return Parts(f"this `{self.opener}` is not closed", self.span, f"no `{self.closer}` belongs to it")


@dataclass(frozen=True, slots=True)
class StrayBracket(Mistake):
    """A closing bracket without its partner."""

    code: ClassVar[str] = "E0005"
    title: ClassVar[str] = "a bracket that closes nothing"
    span: Span
    closer: str

    def parts(self) -> Parts:
        helps = (Help("leave it out", (Edit(self.span, ""),)),)
        return Parts(f"this `{self.closer}` closes nothing", self.span, "no open bracket before it", helps=helps)


@dataclass(frozen=True, slots=True)
class MismatchedBracket(Mistake):
    """A bracket closed by one of another sort."""

    code: ClassVar[str] = "E0006"
    title: ClassVar[str] = "a bracket closed by another one"
    span: Span
    closer: str
    expected: str
    opener: Span

    def parts(self) -> Parts:
        message = f"`{self.opener.text}` is closed by `{self.closer}`"
        helps = (Help(f"write `{self.expected}`", (Edit(self.span, self.expected),)),)
        labels = (Label(self.opener, "opened here"),)
        return Parts(message, self.span, f"`{self.expected}` is needed", labels, (), helps)


@dataclass(frozen=True, slots=True)
class NestedTooDeep(Mistake):
    """Nesting beyond the limit."""

    code: ClassVar[str] = "E0007"
    title: ClassVar[str] = "too deep a nesting"
    span: Span
    limit: int

    def parts(self) -> Parts:
        helps = (Help("name an inner part: a morphism of its own, or a wire of a block"),)
        return Parts(f"this is nested more than {self.limit} deep", self.span, "one level too many", helps=helps)


@dataclass(frozen=True, slots=True)
class NotADeclaration(Mistake):
    """A line at top level that declares nothing; `words` are those that would."""

    code: ClassVar[str] = "E0008"
    title: ClassVar[str] = "a line that declares nothing"
    span: Span
    found: str
    words: tuple[str, ...]
    suggestions: tuple[str, ...] = ()

    def parts(self) -> Parts:
        *most, last = self.words
        notes = (f"a declaration starts with {', '.join(most)} or {last}",)
        message = f"expected a declaration, found {self.found}"
        return Parts(message, self.span, "starts no declaration", (), notes, did_you_mean(self.span, self.suggestions))


@dataclass(frozen=True, slots=True)
class LooseArithmetic(Mistake):
    """`x + y >> f`, which reads as if only `y` went into `f`. `span` is the operation."""

    code: ClassVar[str] = "E0010"
    title: ClassVar[str] = "arithmetic before >> without parentheses"
    span: Span
    sign: str

    def parts(self) -> Parts:
        edits = _parenthesised(self.span)
        message = f"`{self.sign}` before `>>` needs parentheses"
        notes = ("`x + y >> f` sends the whole sum into `f`, though it looks as if only `y` went",)
        helps = (Help("if all of it is meant, put it into parentheses", edits),)
        return Parts(message, self.span, "all of this goes into the next step", (), notes, helps)


@dataclass(frozen=True, slots=True)
class LambdaInside(Mistake):
    """`f >> x => e`: a lambda as an operand."""

    code: ClassVar[str] = "E0011"
    title: ClassVar[str] = "a lambda without parentheses"
    span: Span

    def parts(self) -> Parts:
        helps = (Help("put it into parentheses", _parenthesised(self.span)),)
        return Parts("a lambda that is a step needs parentheses", self.span, "this lambda", helps=helps)


@dataclass(frozen=True, slots=True)
class NotAPattern(Mistake):
    """Something other than names where wires are named. `place` says where: "before `=`"."""

    code: ClassVar[str] = "E0012"
    title: ClassVar[str] = "a pattern that is more than names"
    span: Span
    place: str

    def parts(self) -> Parts:
        message = f"{self.place} stands a name or a tuple of names"
        return Parts(message, self.span, "not a name, nor a tuple of names")


@dataclass(frozen=True, slots=True)
class BadArgumentName(Mistake):
    """Something other than a name before the `=` of an argument."""

    code: ClassVar[str] = "E0013"
    title: ClassVar[str] = "an argument whose name is not a name"
    span: Span

    def parts(self) -> Parts:
        quoted = self.span.text.strip('"')
        if quoted != self.span.text and quoted.isidentifier():
            helps = (Help("a name is written without quotes", (Edit(self.span, quoted),)),)
        else:
            helps = (Help("to compare two numbers write `==`"),)
        return Parts("before `=` stands the name of an argument", self.span, "not a name", helps=helps)


@dataclass(frozen=True, slots=True)
class BadStepName(Mistake):
    """Something other than one word before the `:` of a step."""

    code: ClassVar[str] = "E0014"
    title: ClassVar[str] = "a step whose name is not one word"
    span: Span

    def parts(self) -> Parts:
        return Parts("before `:` stands one name", self.span, "not one name")


@dataclass(frozen=True, slots=True)
class BlockWithoutValue(Mistake):
    """A block that does not end with an expression. `span` is its last statement.

    Where that is `continued` by a last line that begins with `-`, it is this line.
    """

    code: ClassVar[str] = "E0015"
    title: ClassVar[str] = "a block without a value"
    span: Span
    continued: bool = False

    def parts(self) -> Parts:
        if self.continued:
            message = "a line that begins with `-` goes on with the one above, so this block has no value"
            label = "subtracted from the line above"
            around = _parenthesised(self.span)
            return Parts(message, self.span, label, helps=(Help("to yield it, put it into parentheses", around),))
        helps = (Help("add a last line with what the block yields; `()` yields nothing"),)
        message = "a block ends with an expression, its value"
        return Parts(message, self.span, "the last statement is no expression", helps=helps)


@dataclass(frozen=True, slots=True)
class NumberTooLong(Mistake):
    """A number with too many digits or too large an exponent."""

    code: ClassVar[str] = "E0016"
    title: ClassVar[str] = "a number that is too long"
    span: Span
    limit: int

    def parts(self) -> Parts:
        return Parts(f"this number has more than {self.limit} digits", self.span, "too long")


@dataclass(frozen=True, slots=True)
class UnknownEscape(Mistake):
    """A backslash in a text before a character that it does not change."""

    code: ClassVar[str] = "E0017"
    title: ClassVar[str] = "an unknown escape in a text"
    span: Span

    def parts(self) -> Parts:
        helps = (Help('known are `\\"`, `\\\\`, `\\n` and `\\t`; a backslash itself is `\\\\`'),)
        return Parts(f"`{self.span.text}` stands for nothing", self.span, "unknown escape", helps=helps)


@dataclass(frozen=True, slots=True)
class WrongWord(Mistake):
    """A word where one of a few others belongs, as in `kind Std : fre Positive`."""

    code: ClassVar[str] = "E0018"
    title: ClassVar[str] = "a word that does not belong here"
    span: Span
    found: str
    expected: tuple[str, ...]
    suggestions: tuple[str, ...] = ()

    def parts(self) -> Parts:
        needed = _either(tuple(f"`{word}`" for word in self.expected))
        helps = did_you_mean(self.span, self.suggestions)
        return Parts(f"expected {needed}, found `{self.found}`", self.span, f"expected {needed}", helps=helps)


@dataclass(frozen=True, slots=True)
class PatternOfPaths(Mistake):
    """`block.*.weight` where one thing is meant."""

    code: ClassVar[str] = "E0019"
    title: ClassVar[str] = "a pattern of names outside a plug"
    span: Span

    def parts(self) -> Parts:
        notes = ("`f{block.*.weight: e}` names the parameters that `e` goes to; only there may `*` stand for a name",)
        return Parts("a pattern of names belongs before `:` or `=` in a plug", self.span, "not in a plug", (), notes)


def _parenthesised(span: Span) -> tuple[Edit, Edit]:
    """The edits that put a stretch into parentheses."""
    start, end = Span(span.source, span.start, span.start), Span(span.source, span.end, span.end)
    return Edit(start, "("), Edit(end, ")")


def _either(phrases: tuple[str, ...]) -> str:
    if len(phrases) == 1:
        return phrases[0]
    return f"{', '.join(phrases[:-1])} or {phrases[-1]}"
