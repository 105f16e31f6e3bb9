"""A morphism as its author wants to read it back: signature, parameters, cost, symmetries, effects, ties, and more.

Takes a verified Diagram. Guarantees: deterministic text of at most 100 columns, names and keys longer than that
apart. Places are `line:column` in the file of the morphism, with the file's name elsewhere.

    print(show(mlp))      mlp : Real[H: 8, W: 8] -> Logits[Class: 10]
                          parameters                                4,810
                          …
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf
from textwrap import wrap

from catdl.analysis import untyped
from catdl.analysis.cost import count_parameters, flops, foreign, numbers, uncounted
from catdl.analysis.effects import sources
from catdl.analysis.keys import Row, rows
from catdl.analysis.places import Note, Visit, visits
from catdl.analysis.ties import ties
from catdl.causal.kept import Times, causality
from catdl.diagram.model import Diagram, Parameter
from catdl.diagram.params import NOWHERE, globals_of, is_learned, parameters
from catdl.equivariance.kept import symmetries
from catdl.equivariance.walk import Roles
from catdl.source import Source, Span
from catdl.symmetry.actions import said
from catdl.types.sizes import SizeTooLarge
from catdl.types.sizes import show as show_size
from catdl.types.types import Leaf, Object, plain, show_object

WIDTH = 100
MANY = 4  # places of one text that are named before the rest are counted
LONG = 40  # lines of one list before the rest are counted
HARD = "\u00a0"  # a space that does not break
EFFECTS = {
    "across": "reads the whole batch",
    "rand": "random, also in evaluation",
    "rand_train": "random in training only",
    "state": "keeps something from one call to the next",
}


def signature(diagram: Diagram) -> str:
    """The type as it is written: `mlp : Real[H: 8, W: 8] -> Logits[Class: 10]`, on one line."""
    return f"{diagram.name} : {_object(diagram, True)} {_arrow(diagram)} {_object(diagram, False)}"


def show(diagram: Diagram, roles: Roles, times: Times) -> str:
    """Everything worth knowing about a morphism that its text does not say at once.

    `roles` say what acts on dims, `times` which of them are a time.
    """
    found = visits(diagram)
    places = _Places(diagram)
    sections = [
        _signature(diagram),
        list(_parameters(diagram)),
        list(_kept(diagram)),
        list(_cost(diagram)),
        list(_symmetries(diagram, roles, places)),
        list(_causality(diagram, times, places)),
        list(_effects(found, places)),
        list(_ties(found, places)),
        list(_untyped(found, places)),
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in lines) for lines in sections if lines)


def _object(diagram: Diagram, domain: bool) -> str:
    wires = diagram.inputs if domain else diagram.outputs
    names = diagram.domain_names if domain else diagram.codomain_names
    leaves: tuple[Leaf, ...] = tuple(diagram.wires[wire].type for wire in wires)
    return show_object(Object(leaves, names if len(leaves) > 1 else (None,) * len(leaves)))


def _arrow(diagram: Diagram) -> str:
    return "~>" if "rand" in diagram.effects else "->"


def _signature(diagram: Diagram) -> list[str]:
    whole = signature(diagram)
    lines = [whole]
    if len(whole) > WIDTH:
        left, right = (_ports(_object(diagram, domain)) for domain in (True, False))
        lines = [f"{diagram.name} :", *left, f"    {_arrow(diagram)}", *right]
    facts = ", ".join(f"{number} | {show_size(size)}" for number, size in diagram.facts)
    return [*lines, *_filled(f"where {facts}", 4)] if facts else lines


def _ports(shown: str) -> list[str]:
    """The ports of an object on as few lines as they fit."""
    return wrap(shown, WIDTH, initial_indent="        ", subsequent_indent="         ", break_long_words=False)


def _parameters(diagram: Diagram) -> Iterator[str]:
    leaves = [leaf for leaf in (*globals_of(diagram), *parameters(diagram)) if is_learned(leaf)]
    if not leaves:
        yield "parameters  none"
    else:
        yield from _table("parameters", count_parameters(diagram), leaves)
        if still := sum(numbers(leaf) for leaf in leaves if leaf.frozen):
            yield f"  {_number(still)} of them are frozen, {_number(count_parameters(diagram) - still)} are trained"
    if others := foreign(diagram):
        yield from _filled(f"and those of {', '.join(others)}", 2)


def _kept(diagram: Diagram) -> Iterator[str]:
    """What is kept from one call to the next, and not learned."""
    for mode, title in (("constant", "kept, one for the batch"), ("sample", "kept, one for each sample")):
        leaves = [leaf for leaf in parameters(diagram) if leaf.state == mode]
        if leaves:
            yield from _table(title, sum(map(numbers, leaves)), leaves)


def _table(title: str, count: int, leaves: list[Parameter]) -> Iterator[str]:
    """Leaves by key, with their types and how many numbers they hold."""
    table = rows(leaves)
    keys = [_key(row) for row in table]
    first = min(max(map(len, keys)), 48)
    total = _number(count)
    last = max(10, len(total))
    second = min(max(len(row.type) for row in table), WIDTH - first - last - 4)
    width = first + second + last + 4
    yield title + total.rjust(width - len(title))
    for key, row in zip(keys, table, strict=True):
        yield from _columns(key, row.type, _number(row.count), first, second, last)


def _key(row: Row) -> str:
    times = f"  ×{row.times}" if row.times > 1 else ""
    return f"{'  ' * (row.depth + 1)}{row.key}{times}"


def _columns(key: str, leaf: str, count: str, first: int, second: int, last: int) -> Iterator[str]:
    """One row; what is too long for its column pushes the rest to a line of its own."""
    if len(key) > first:
        yield key
        key = ""
    if len(leaf) > second:
        yield f"{key:<{first}}  {leaf}"
        key = leaf = ""
    yield f"{key:<{first}}  {leaf:<{second}}  {count:>{last}}"


def _cost(diagram: Diagram) -> Iterator[str]:
    yield "FLOPs per sample, of matrix products and convolutions"
    try:
        text = _terms(_number(show_size(flops(diagram))))
    except SizeTooLarge:
        text = "more than can be said: a coefficient is beyond 2^63, or there are too many terms"
    yield from _filled(text, 2)
    if left := (*uncounted(diagram), *foreign(diagram)):
        yield from _filled(f"not counted: {', '.join(left)}", 2)


def _symmetries(diagram: Diagram, roles: Roles, places: _Places) -> Iterator[str]:
    """What the morphism goes with, of what acts on its ends, and where it is lost."""
    groups = symmetries(diagram, roles)
    if groups:
        yield "symmetries"
    for symmetry in groups:
        if symmetry.kept is not None:
            yield from _filled(f"goes with {symmetry.said}", 2)
        if symmetry.loss is not None:
            loss = symmetry.loss
            at = f" at {places.where(loss.span)}" if loss.span is not NOWHERE else ""
            what = f" by `{loss.name}`" if loss.name else ""
            yield from _filled(f"loses {said(symmetry.group)}{at}{what}, which {loss.rule.how}", 2)


def _causality(diagram: Diagram, times: Times, places: _Places) -> Iterator[str]:
    """Along which times it is causal, and where it reads later steps of others."""
    found = causality(diagram, times)
    if found:
        yield "time"
    for time in found:
        name, loss = f"`{plain(time.dim)}`", time.loss
        if loss is not None:
            at = f" at {places.where(loss.span)}" if loss.span is not NOWHERE else ""
            what = f" by `{loss.name}`" if loss.name else ""
            yield from _filled(f"not causal along {name}{at}{what}, which {loss.rule.how}", 2)
        elif time.lag == inf:
            yield from _filled(f"causal along {name}: no step depends on any step of the input", 2)
        elif time.lag > 0:
            before = "those before it" if time.lag == 1 else f"those at least {int(time.lag)} before it"
            yield from _filled(f"causal along {name}: each step depends on {before} alone", 2)
        else:
            yield from _filled(f"causal along {name}", 2)


def _effects(found: list[Visit], places: _Places) -> Iterator[str]:
    effects = sources(found)
    if not effects:
        yield "effects  none"
        return
    yield "effects"
    for effect, notes in effects.items():
        yield f"  {effect}, {EFFECTS[effect]}"
        yield from places.listed(notes, 4)


def _ties(found: list[Visit], places: _Places) -> Iterator[str]:
    shared = ties(found)
    if not shared:
        yield "tied  nothing"
        return
    yield "tied"
    for tie in shared:
        how = f"{tie.leaves} parameters" if tie.leaves > 1 else tie.how
        yield from _filled(f"{tie.key}{f'{2 * HARD}({how})' if how else ''}", 2)
        yield from places.listed(tie.places, 4)


def _untyped(found: list[Visit], places: _Places) -> Iterator[str]:
    yield "what no type can catch"
    for title, notes in (
        ("signs", untyped.signs(found)),
        ("gradients stopped or redirected", untyped.gradients(found)),
        ("orders", untyped.orders(found)),
        ("static branches", untyped.branches(found)),
    ):
        yield f"  {title}{'' if notes else '  none'}"
        yield from places.listed(notes, 4)
    conventions = untyped.conventions(found)
    yield f"  static arguments{'' if conventions else '  none'}"
    yield from places.gathered(conventions, 4)


class _Places:
    """Places as they are shown: the file of the morphism goes without saying."""

    def __init__(self, diagram: Diagram) -> None:
        self.home: Source | None = diagram.boxes[0].span.source if diagram.boxes else None

    def where(self, span: Span) -> str:
        """`line:column`, after the file's name where it is another file."""
        return f"{span.line}:{span.column}" if span.source == self.home else span.where

    def listed(self, notes: list[Note], indent: int) -> Iterator[str]:
        """A line for each text: where it is written, and how often it runs."""
        texts = _by_text(notes)
        shown = [self.some(same) for same in texts.values()][:LONG]
        width = min(max(map(len, shown), default=0), 40)
        for where, (text, same) in zip(shown, texts.items(), strict=False):
            yield from _filled(f"{where.replace(' ', HARD):<{width}}  {text}{_times(same)}", indent, width + 2)
        yield from _rest(len(texts), indent)

    def gathered(self, notes: list[Note], indent: int) -> Iterator[str]:
        """The same with the text first, where texts are long."""
        texts = _by_text(notes)
        for text, same in list(texts.items())[:LONG]:
            yield from _filled(f"{text}{_times(same)}  at {self.some(same)}".replace("at ", f"at{HARD}"), indent, 4)
        yield from _rest(len(texts), indent)

    def some(self, notes: list[Note]) -> str:
        """The first places of some notes."""
        where = ", ".join(self.where(note.span) for note in notes[:MANY])
        return where if len(notes) <= MANY else f"{where}, … {len(notes) - MANY} more"


def _by_text(notes: list[Note]) -> dict[str, list[Note]]:
    texts: dict[str, list[Note]] = {}
    for note in notes:
        texts.setdefault(note.text, []).append(note)
    return texts


def _times(notes: list[Note]) -> str:
    total = sum(note.times for note in notes)
    return f"  ×{total}" if total > 1 else ""


def _rest(count: int, indent: int) -> Iterator[str]:
    if count > LONG:
        yield f"{' ' * indent}… {count - LONG} more"


def _filled(text: str, indent: int, hanging: int = 2) -> list[str]:
    """Text on as many lines as it needs; `name = value` stays together."""
    lines = wrap(
        text.replace(" = ", f"{HARD}={HARD}"),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(HARD, " ") for line in lines]


def _terms(text: str) -> str:
    """A polynomial that breaks before the signs between its terms only."""
    depth = 0
    out: list[str] = []
    for i, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        breaks = char == " " and depth == 0 and text[i + 1] in "+-"
        out.append(HARD if char == " " and not breaks else char)
    return "".join(out)


def _number(value: int | str) -> str:
    """Long numbers in groups of three digits: `36,864 * T^2`."""
    return re.sub(r"(?<![\w.])\d{4,}(?!\w)", lambda match: f"{int(match[0]):,}", str(value))
