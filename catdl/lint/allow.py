"""`# catdl: allow W0201`: which warnings a file does without, and which of these words are needless.

At the end of a line the comment is for that line; alone on a line for the declaration after it, or inside one for the
next line; in the comments that begin a file, with an empty line after it, for the whole file. After another `#` stands
the reason, if any.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

from catdl import diagnostics as wrong
from catdl.check.scope import Module
from catdl.diagnostics.base import Diagnostic, Edit
from catdl.lint.places import back
from catdl.record import record
from catdl.source import Span

COMMENT = re.compile(r"#[ \t]*catdl:[ \t]*([^\r\n#]*)")
CODES = re.compile(r"[^\s,]+")
COMMA = re.compile(r"[ \t]*,?[ \t]*")
ENDING = re.compile(r"[ \t]*(#|\r\n|\n|\r|\Z)")


@record
class Allow:
    """A code that is allowed from one line to another one, both included; `place` says it in words.

    `alone` tells that the comment allows nothing else.
    """

    code: Span
    comment: Span
    alone: bool
    first: int
    last: int
    place: str


class Comments:
    """The comments of one file."""

    def __init__(self, module: Module) -> None:
        self.source = module.source
        decls = module.tree.decls
        self.starts = [node.start for node in decls]
        self.ends = [node.end for node in decls]
        self.head = self.starts[0] if decls else len(self.source.text)  # where the comments that begin the file end
        self.below = range(0)  # the comment lines last passed over
        self.bounds: dict[int, tuple[int, int]] = {}  # by declaration, the lines of all that start where it does

    def read(self) -> Iterator[Allow | wrong.AllowUnknown]:
        """What they allow, and those that are not understood."""
        source = self.source
        for match in COMMENT.finditer(source.text):
            line, column = source.position(match.start())
            before = source.line_text(line)[: column - 1]
            if "#" in before or before.count('"') % 2:
                continue  # within another comment, or a text
            said = Span(source, match.start(1), match.start(1) + len(match[1].rstrip(" \t")))
            comment = Span(source, match.start(), said.end)
            words = [Span(source, said.start + w.start(), said.start + w.end()) for w in CODES.finditer(said.text)]
            if len(words) < 2 or words[0].text != "allow":
                odd = words[0] if words and words[0].text != "allow" else comment
                yield wrong.AllowUnknown(odd, odd.text, "is nothing that a comment can tell catdl", ())
                continue
            first, last, place = self.reach(line, bool(before.strip()))
            for code in words[1:]:
                yield unknown(code) or Allow(code, comment, len(words) == 2, first, last, place)

    def reach(self, line: int, trailing: bool) -> tuple[int, int, str]:
        """The lines that a comment on a line is for."""
        source = self.source
        if trailing:
            return line, line, "this line"
        start = source.starts[line - 1]
        apart = line == source.line_count or not source.line_text(line + 1).strip()
        if apart and start < self.head:
            return 1, source.line_count, "this file"
        after = bisect_right(self.starts, start)
        if after and start < self.ends[after - 1]:
            if line not in self.below:
                below = line + 1
                while below < source.line_count and source.line_text(below).lstrip()[:1] in ("", "#"):
                    below += 1
                self.below = range(line, below)
            return self.below.stop, self.below.stop, "the next line"
        if after == len(self.starts):
            return line, line, "no declaration"
        if after not in self.bounds:
            first = source.position(self.starts[after])[0]
            last = first
            for beside in range(after, len(self.starts)):  # dims declared in one line are several declarations
                if source.position(self.starts[beside])[0] != first:
                    break
                last = source.position(self.ends[beside])[0]
            self.bounds[after] = first, last
        return *self.bounds[after], "the declaration below"


def unknown(code: Span) -> wrong.AllowUnknown | None:
    """What to say of a word that is no code of a warning."""
    known = codes()
    if code.text not in known:
        from catdl.diagnostics.suggest import near

        warnings = [name for name in known if name.startswith("W")]
        return wrong.AllowUnknown(code, code.text, "is no code of a warning", near(code.text, warnings))
    if not code.text.startswith("W"):
        return wrong.AllowUnknown(code, code.text, "is an error, which cannot be allowed")
    return None


@cache
def codes() -> tuple[str, ...]:
    """Every code there is."""
    from catdl.diagnostics.registry import mistakes

    return tuple(mistakes())


def allowed(modules: list[Module], main: Module, warnings: list[Diagnostic]) -> list[Diagnostic]:
    """The warnings without those that are allowed, and with what is wrong with the comments of the main file."""
    out: list[Diagnostic] = []
    rules: list[Allow] = []
    for module in modules:
        for found in Comments(module).read() if "catdl:" in module.source.text else ():
            if isinstance(found, Allow):
                rules.append(found)
            elif module is main:
                out.append(found)
    covers: dict[tuple[str, int, int], Allow] = {}  # by code, file and line; 0 for all lines
    needed: set[int] = set()
    for rule in rules:
        whole = rule.place == "this file"
        for line in (0,) if whole else range(rule.first, rule.last + 1):
            other = covers.setdefault((rule.code.text, id(rule.code.source), line), rule)
            if other is not rule and (other.first, other.last) == (rule.first, rule.last):
                break  # two with the same reach are one
    for warning in warnings:
        span = warning.span
        assert span is not None
        file = id(span.source)
        rule_ = covers.get((warning.code, file, span.line)) or covers.get((warning.code, file, 0))
        if rule_ is None:
            out.append(warning)
        else:
            needed.add(id(rule_))
    needless = (rule for rule in rules if id(rule) not in needed and rule.code.source is main.source)
    out += [wrong.AllowUnused(rule.code, rule.code.text, rule.place, without(rule)) for rule in needless]
    return out


def without(rule: Allow) -> Edit:
    """The comment without one of its codes; a comment without any goes away, with the line that it stands alone on."""
    source, text = rule.code.source, rule.code.source.text
    if not rule.alone:
        start, end = rule.code.start, rule.code.end
        after = COMMA.match(text, end)
        if after is not None and after.end() < rule.comment.end:
            return Edit(Span(source, start, after.end()), "")
        before = back(text, start, " \t,")
        return Edit(Span(source, before, end), "")
    begin = rule.comment.start
    line_start = source.starts[source.position(begin)[0] - 1]
    rest = ENDING.match(text, rule.comment.end)
    assert rest is not None, "what is said to catdl ends before a line end or a reason"
    if rest[1] == "#":
        return Edit(Span(source, begin, rest.start(1)), "")
    if text[line_start:begin].strip():
        return Edit(Span(source, back(text, begin, " \t"), rule.comment.end), "")
    return Edit(Span(source, line_start, rest.end()), "")
