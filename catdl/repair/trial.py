"""An edited text checked again.

Takes the tree of a file and the mistakes found in it; guarantees that a trial costs what the declarations concerned
cost, not the whole file: those that are edited, all they need, and, where an edit may be seen from outside, those that
use them. A trial succeeds when the mistake is gone and every mistake left was there before.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from catdl.check.names import mentioned
from catdl.check.program import Program
from catdl.check.run import recheck
from catdl.check.scope import Module
from catdl.check.work import Work
from catdl.diagnostics.base import Diagnostic, Edit
from catdl.record import field, record
from catdl.source import Source
from catdl.syntax import ast

TRIAL_STEPS = 10_000  # of elaboration, beyond those for its length, that one trial may take
WHOLE = 2_000  # characters: a text as short as this is checked whole
_WORD = re.compile(r"[A-Za-z_]\w*")
_DECLARATION = re.compile(
    r"^(?:(?:native|core|extern) )?(?:dim|where|kind|object|param|morphism|hom|overload|from)\b", re.MULTILINE
)

Key = tuple[str, str, int]


@record(frozen=False)
class Piece:
    """A stretch of the file that starts with a declaration, and what is declared in it."""

    start: int
    end: int
    decls: list[ast.Decl] = field(default_factory=list)


class Trials:
    """The trials of one file."""

    def __init__(self, program: Program, module: Module, diagnostics: Iterable[Diagnostic]) -> None:
        self.program = program
        self.module = module
        self.text = module.source.text
        self.same: dict[Key, list[Diagnostic]] = {}
        for diagnostic in diagnostics:
            if (key := key_of(diagnostic)) is not None:
                self.same.setdefault(key, []).append(diagnostic)
        self.before = {key for key, found in self.same.items() if found[0].severity == "error"}
        self.known: dict[str, Any] = {}  # what makers found out about the file
        self.spent = 0
        self.steps = 0
        self.pieces: list[Piece] = []
        self.places: dict[str, list[int]] = {}
        self.users: dict[str, list[int]] = {}
        self.always: set[int] = set()

    def at(self, mistake: Diagnostic) -> tuple[Diagnostic, ...]:
        """The mistakes of one code at one place: a template is at fault once for each use."""
        key = key_of(mistake)
        return tuple(self.same.get(key, ())) if key is not None else ()

    def helps(self, mistake: Diagnostic, edits: Sequence[Edit]) -> bool:
        """Whether the mistake is gone after the edits, and no other has come."""
        target = key_of(mistake)
        ordered = sorted(edits, key=lambda e: (e.span.start, e.span.end))
        if target is None or not ordered:
            return False
        if any(a.span.end > b.span.start for a, b in pairwise(ordered)):
            return False
        kept = self.kept(mistake, ordered)
        text, steps = edited(self.text, kept, ordered)
        self.spent += len(text)
        source = Source(self.module.source.path, text)
        work = Work(TRIAL_STEPS)
        found = recheck(self.program, source, self.module.name, work).diagnostics
        self.steps += work.done
        after = {key_of(d, source, steps) for d in found if d.severity == "error"}
        return target not in after and after <= self.before

    def kept(self, mistake: Diagnostic, edits: Sequence[Edit]) -> list[tuple[int, int]]:
        """The stretches of the file that the trial checks."""
        if len(self.text) <= WHOLE:
            return [(0, len(self.text))]
        if not self.pieces:
            self.cut()
        span = mistake.span
        assert span is not None
        touched = {self.piece_at(e.span.start) for e in edits} | {self.piece_at(span.start)}
        wanted = set(touched)
        seen = [i for i in touched if self.seen_outside(i, edits)]
        while seen:  # what uses them, as far as the change may be seen
            for name in declared(self.pieces[seen.pop()]):
                for user in self.users.get(name, ()):
                    if user not in wanted:
                        wanted.add(user)
                        if any(unsigned(d) for d in self.pieces[user].decls):
                            seen.append(user)
        wanted |= self.always
        # What the edits bring in, and what a part speaks of that could not be read before them.
        written = [edit.replacement for edit in edits]
        if mistake.code < "E01":  # a mistake of the syntax
            written += [self.text[self.pieces[i].start : self.pieces[i].end] for i in touched]
        for text in written:
            for word in _WORD.findall(text):
                wanted.update(self.places.get(word, ()))
        for name in sorted(mentioned([d for i in touched for d in self.pieces[i].decls])):
            if any(isinstance(d, ast.Param) for i in self.places.get(name, ()) for d in self.pieces[i].decls):
                # A parameter that is plugged elsewhere as well stays in use.
                wanted.update([user for user in self.users.get(name, ()) if user not in touched][:1])
        stack = list(wanted)
        while stack:  # what they need
            for name in mentioned(list(self.pieces[stack.pop()].decls)):
                for place in self.places.get(name, ()):
                    if place not in wanted:
                        wanted.add(place)
                        stack.append(place)
        return [(self.pieces[i].start, self.pieces[i].end) for i in sorted(wanted)]

    def cut(self) -> None:
        """Cut the file into pieces and note who uses what."""
        starts = [match.start() for match in _DECLARATION.finditer(self.text)]
        if not starts or starts[0] > 0:
            starts.insert(0, 0)
        ends = [*starts[1:], len(self.text)]
        self.pieces = [Piece(start, end) for start, end in zip(starts, ends, strict=True)]
        for decl in self.module.tree.decls:
            self.pieces[self.piece_at(decl.start)].decls.append(decl)
        for place, piece in enumerate(self.pieces):
            for name in declared(piece):
                self.places.setdefault(name, []).append(place)
            if any(isinstance(d, (ast.Where, ast.Overload)) for d in piece.decls):
                self.always.add(place)
            for name in sorted(mentioned(list(piece.decls))):
                self.users.setdefault(name, []).append(place)

    def piece_at(self, offset: int) -> int:
        """The piece that holds an offset."""
        return max(bisect_right(self.pieces, offset, key=lambda p: p.start) - 1, 0)

    def seen_outside(self, place: int, edits: Sequence[Edit]) -> bool:
        """Whether what uses a piece may see the edits: they are not all inside bodies that have a signature."""
        piece = self.pieces[place]
        for decl in piece.decls:
            if unsigned(decl):
                return True
        bodies = [(d.body.start, d.body.end) for d in piece.decls if isinstance(d, ast.Morphism) and d.body]
        mine = [e.span for e in edits if piece.start <= e.span.start < piece.end]
        return any(not any(start <= s.start and s.end <= end for start, end in bodies) for s in mine)


def declared(piece: Piece) -> list[str]:
    """The names that a piece declares."""
    out: list[str] = []
    for decl in piece.decls:
        if isinstance(decl, ast.Import):
            out += [name.alias for name in decl.names]
        elif not isinstance(decl, (ast.Where, ast.Overload)):
            out.append(decl.name)
    return out


def unsigned(decl: ast.Decl) -> bool:
    """A morphism that is read anew wherever it is used."""
    return isinstance(decl, ast.Morphism) and decl.signature is None


Step = tuple[int, int, bool]  # an offset in the new text, the old offset it stands for, whether the text is the old one


def edited(text: str, kept: Sequence[tuple[int, int]], edits: Sequence[Edit]) -> tuple[str, list[Step]]:
    """The kept stretches with the edits in them, and how offsets go back to the old text."""
    out: list[str] = []
    steps: list[Step] = []
    size = 0

    def put(piece: str, old: int, same: bool) -> None:
        nonlocal size
        steps.append((size, old, same))
        out.append(piece)
        size += len(piece)

    for place, (start, end) in enumerate(kept):
        at = start
        last = place == len(kept) - 1
        for edit in edits:
            if start <= edit.span.start < end or (last and edit.span.start == end):
                put(text[at : edit.span.start], at, True)
                put(edit.replacement, edit.span.start, False)
                at = edit.span.end
        put(text[at:end], at, True)
    return "".join(out), steps


def key_of(mistake: Diagnostic, source: Source | None = None, steps: Sequence[Step] = ()) -> Key | None:
    """What a mistake is known by: its code, its file and its place in the old text."""
    span = mistake.span
    if span is None:
        return None
    start = span.start
    if source is not None and span.source is source:
        # Of steps that start at one offset the last one holds text; those before it are empty.
        new, old, same = steps[max(bisect_right(steps, start, key=lambda s: s[0]) - 1, 0)]
        start = old + (start - new if same else 0)
    return mistake.code, span.source.path, start
