"""A key map held against both sides: which tensor of the file each tensor of the morphism is made of.

Takes the lines of a map and the forms of both sides by key. Guarantees: in a plan every tensor gets numbers of its own
sort and shape, axes of size 1 aside; every line that does not fit is told once, with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic
from catdl.diagnostics.suggest import near
from catdl.record import field, record, replace
from catdl.source import Span
from catdl.weights.families import STAR, filled, skeleton
from catdl.weights.held import Form, Shape, without_ones
from catdl.weights.keymap import Line, Piece

_ANY = "**"


@record
class Plan:
    """For each tensor of the morphism the pieces it is made of, keys in the place of patterns; and what is left out."""

    made: dict[str, tuple[Piece, ...]] = field(default_factory=dict)
    discarded: dict[str, None] = field(default_factory=dict)

    @property
    def used(self) -> set[str]:
        """The keys of the file that have a place in it."""
        return {piece.pattern for pieces in self.made.values() for piece in pieces}.union(self.discarded)


def fit(
    lines: Iterable[Line], name: str, ours: Mapping[str, Form], path: str, theirs: Mapping[str, Form]
) -> tuple[Plan, list[Diagnostic]]:
    """What the lines come to for a morphism of a name and a file at a path, and those that do not fit."""
    check = _Fit(_Keys(f"`{name}`", ours), _Keys(f"`{path}`", theirs))
    mistakes = [mistake for line in lines if (mistake := check.line(line)) is not None]
    return check.plan, mistakes


class _Keys:
    """The keys of one side, found by pattern."""

    def __init__(self, owner: str, forms: Mapping[str, Form]) -> None:
        self.owner = owner
        self.forms = forms
        self.alike: dict[str, list[str]] = {}
        for key in forms:
            self.alike.setdefault(skeleton(key), []).append(key)

    def matching(self, pattern: str) -> dict[tuple[str, ...], str]:
        """The keys that fit a pattern by the numbers that its stars stand for."""
        if pattern in self.forms:
            return {(): pattern}
        segments = pattern.split(".")
        stars = [i for i, segment in enumerate(segments) if segment == STAR]
        found: dict[tuple[str, ...], str] = {}
        for key in self.alike.get(skeleton(pattern), ()) if stars else ():
            numbers = [segment for i, segment in enumerate(key.split(".")) if i in stars]
            if filled(pattern, numbers) == key:
                found[tuple(numbers)] = key
        return found

    def below(self, pattern: str) -> list[str]:
        """The keys that fit a pattern in which `**` stands for any segments."""
        if _ANY not in pattern.split("."):
            return list(self.matching(pattern).values())
        parts = [{_ANY: ".+", STAR: r"\d+"}.get(segment, re.escape(segment)) for segment in pattern.split(".")]
        fits = re.compile(r"\.".join(parts))
        return [key for key in self.forms if fits.fullmatch(key)]

    def unknown(self, pattern: str, span: Span | None) -> Diagnostic:
        """That no key fits a pattern."""
        known = [*self.alike, *self.forms] if STAR in pattern else self.forms
        return wrong.KeyMapMismatch(f"{self.owner} has no key `{pattern}`", span, near(pattern, known))


class _Fit:
    def __init__(self, ours: _Keys, theirs: _Keys) -> None:
        self.ours = ours
        self.theirs = theirs
        self.plan = Plan()
        self.by: dict[str, Line] = {}

    def line(self, line: Line) -> Diagnostic | None:
        """Put what a line says into the plan, or say why it does not fit."""
        if line.ours is None:
            return self.discard(line)
        mine = self.ours.matching(line.ours)
        if not mine:
            return self.ours.unknown(line.ours, line.left)
        found: list[tuple[Piece, dict[tuple[str, ...], str]]] = []
        for piece in line.pieces:
            matching = self.theirs.matching(piece.pattern)
            if not matching:
                return self.theirs.unknown(piece.pattern, line.right)
            found.append((piece, matching))
        made: dict[str, tuple[Piece, ...]] = {}
        for numbers, key in mine.items():
            if key in self.by:
                return wrong.KeyMapMismatch(f"`{key}` is given twice", line.left, (), self.by[key].left)
            pieces = []
            for piece, matching in found:
                other = matching.get(numbers) or matching.get(())
                if other is None:
                    return self.theirs.unknown(_filled(piece.pattern, numbers), line.right)
                pieces.append(replace(piece, pattern=other))
            mistake = self.misfit(key, tuple(pieces), line)
            if mistake is not None:
                return mistake
            made[key] = tuple(pieces)
        self.plan.made.update(made)
        self.by.update(dict.fromkeys(made, line))
        return None

    def discard(self, line: Line) -> Diagnostic | None:
        for piece in line.pieces:
            keys = self.theirs.below(piece.pattern)
            if not keys:
                return self.theirs.unknown(piece.pattern, line.right)
            self.plan.discarded.update(dict.fromkeys(keys))
        return None

    def misfit(self, key: str, pieces: tuple[Piece, ...], line: Line) -> Diagnostic | None:
        """Why pieces do not make a tensor of the morphism."""
        wanted = self.ours.forms[key]
        for piece in pieces:
            stored = self.theirs.forms[piece.pattern].stored
            if stored != wanted.stored:
                reason = f"`{key}` holds numbers of the sort {wanted.stored}, and `{piece.pattern}` {stored}"
                return wrong.KeyMapMismatch(reason, line.right)
        shape = self.shape(pieces)
        if isinstance(shape, str):
            return wrong.KeyMapMismatch(shape, line.right)
        if without_ones(shape) == without_ones(wanted.shape):
            return None
        other = self.shape(tuple(replace(piece, transposed=not piece.transposed) for piece in pieces))
        turns = not isinstance(other, str) and without_ones(other) == without_ones(wanted.shape)
        turn = "leave `^T` out" if pieces[0].transposed else "`^T` after the key of the file transposes it"
        reason = f"`{key}` is {list(wanted.shape)}, and what is to stand there {list(shape)}"
        return wrong.KeyMapMismatch(reason, line.right, turn=turn if turns else "")

    def shape(self, pieces: tuple[Piece, ...]) -> Shape | str:
        """The shape of what pieces make, or why they make nothing."""
        shapes = []
        for piece in pieces:
            shape = self.theirs.forms[piece.pattern].shape
            if piece.transposed:
                if len(shape) != 2:
                    return f"`{piece.pattern}` is {list(shape)}: only a matrix can be transposed"
                shape = shape[::-1]
            if piece.cut is not None:
                start, stop = piece.cut
                if not shape or not start < stop <= shape[0]:
                    return f"`{piece.pattern}` is {list(shape)}: it has no stretch [{start}:{stop}]"
                shape = (stop - start, *shape[1:])
            shapes.append(shape)
        if len(shapes) == 1:
            return shapes[0]
        if any(not shape or shape[1:] != shapes[0][1:] for shape in shapes):
            return f"{', '.join(str(list(shape)) for shape in shapes)} cannot stand one after the other"
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])


def _filled(pattern: str, numbers: Iterable[str]) -> str:
    """A pattern with numbers for as many of its stars as there are."""
    left: Iterator[str] = iter(numbers)
    return ".".join([next(left, STAR) if segment == STAR else segment for segment in pattern.split(".")])
