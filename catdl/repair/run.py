"""Which mistakes get a help: candidates from the makers, each tried before it is offered.

Takes a checked program and its mistakes in order; gives the same mistakes, those that could be helped with edits that
were tried. Work is bounded by the text: all trials together check a third as much text as the file has, and no
less than a small file may need, so that a long file full of mistakes is reported in good time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from catdl.check.program import Program
from catdl.check.scope import Module
from catdl.diagnostics.base import Diagnostic, Edit, Help, Helped
from catdl.repair import (
    acts,
    axes,
    carriers,
    declared,
    kinds,
    masks,
    names,
    operands,
    patterns,
    sizes,
    statics,
    steps,
    syntax,
    whole,
    windows,
    wires,
)
from catdl.repair.case import Case, Group, Maker
from catdl.repair.tree import way_to
from catdl.repair.trial import Trials

LEAST = 40_000  # characters that may be checked in trials, however short the file
SHARE = 3  # of a long file, one part in so many
TRIES = 14  # candidates tried for one mistake
STEPS = 60_000  # of elaboration, a guard for texts that unfold to much for their length: no trial starts later

MAKERS: dict[str, tuple[Maker, ...]] = {
    "E0001": (syntax.mistaken,),
    "E0002": (syntax.unexpected,),
    "E0004": (syntax.unclosed,),
    "E0101": (names.batch, names.near, wires.unbound),
    "E0103": (statics.sort,),
    "E0201": (statics.unknown,),
    "E0202": (statics.missing,),
    "E0203": (statics.too_many,),
    "E0204": (statics.bad,),
    "E0205": (wires.static_if,),
    "E0207": (patterns.regrouped, sizes.not_divisible),
    "E0208": (wires.by_position, statics.tied_or_fresh, statics.target, statics.one_parameter, statics.second_plug),
    "E0209": (statics.unused,),
    "E0301": (
        patterns.regrouped,
        axes.transposed,
        patterns.reflattened,
        declared.halved,
        steps.left_out,
        axes.mismatch,
        operands.mismatched,
        windows.padded,
        sizes.mismatch,
        whole.counted,
        declared.mismatch,
        whole.spare,
    ),
    "E0302": (declared.halved, sizes.size, patterns.regrouped),
    "E0303": (axes.turned, steps.lacking, acts.not_found),
    "E0305": (sizes.undecided,),
    "E0306": (sizes.undetermined,),
    "E0308": (acts.needs_axes, patterns.reordered),
    "E0309": (operands.broadcast,),
    "E0310": (patterns.too_many, patterns.relettered, patterns.twice),
    "E0311": (wires.gathered, kinds.left_out, statics.twin),
    "E0312": (patterns.unmerged, patterns.regrouped),
    "E0319": (acts.of_nothing,),
    "E0401": (masks.after_softmax, kinds.mismatch),
    "E0402": (kinds.never,),
    "E0404": (kinds.unrelated,),
    "E0501": (wires.unused,),
    "E0502": (wires.composed, wires.pointwise),
    "E0503": (wires.not_a_wire,),
    "E0504": (statics.tie,),
    "E0505": (wires.arity, wires.pattern),
    "E0506": (wires.port,),
    "E0511": (carriers.untold,),
    "E0601": (statics.parameter,),
    "E0604": (acts.free_parameter,),
    "E0610": (axes.transposed,),
    "E0701": (statics.random,),
    "E0703": (wires.unwritten,),
}


def helped(program: Program, diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The mistakes with the helps that proved right."""
    modules = {id(module.source): module for module in program.modules.values()}
    trials: dict[int, Trials] = {}
    budget = Budget(max(LEAST, len(program.main.source.text) // SHARE))
    out: list[Diagnostic] = []
    for mistake in diagnostics:
        span = mistake.span
        module = modules.get(id(span.source)) if span is not None else None
        if module is None:
            out.append(mistake)
            continue
        tried = trials.get(id(module.source))
        if tried is None:
            tried = trials[id(module.source)] = Trials(program, module, diagnostics)
        out.append(help_one(program, module, mistake, tried, budget))
    return out


class Budget:
    """What may still be tried."""

    def __init__(self, characters: int) -> None:
        self.characters = characters

    def left(self, trials: Trials) -> bool:
        """Whether one more trial may start."""
        return trials.spent < self.characters and trials.steps < STEPS


def help_one(program: Program, module: Module, mistake: Diagnostic, trials: Trials, budget: Budget) -> Diagnostic:
    """One mistake with its helps."""
    own = mistake.parts().helps
    span = mistake.span
    assert span is not None
    makers = MAKERS.get(mistake.code, ())
    if not makers and not any(h.edits for h in own):
        return mistake
    case = Case(
        mistake, program, module, way_to(module.tree.decls, span.start, span.end), trials.at(mistake), trials.known
    )
    seen: set[tuple[Edit, ...]] = set()
    groups = chain([tuple(h for h in own if h.edits)], candidates(case, makers))
    for group in islice(groups, TRIES):
        good = [h for h in group if fresh(h, seen) and budget.left(trials) and trials.helps(mistake, edits_of(h))]
        if good:
            return Helped(mistake, tuple(good))
    if any(h.edits for h in own):
        return Helped(mistake, tuple(Help(h.message) for h in own))
    return mistake


def candidates(case: Case, makers: tuple[Maker, ...]) -> Iterator[Group]:
    """What the makers offer, in their order."""
    for maker in makers:
        yield from maker(case)


def edits_of(help_: Help) -> tuple[Edit, ...]:
    """The edits of a help, those that change nothing left out."""
    return tuple(e for e in (Edit(*edit) for edit in help_.edits) if e.span.text != e.replacement)


def fresh(help_: Help, seen: set[tuple[Edit, ...]]) -> bool:
    """Whether these edits were not tried yet."""
    edits = edits_of(help_)
    if not edits or edits in seen:
        return False
    seen.add(edits)
    return True
