"""States: what a block keeps from one call to the next, read under its name and written by `k <- e`.

Guarantees that a state is written once, in the block that declares it, by a value of its type, that its old value is
read, and that its mode is told: one value for each sample if one is written that differs from sample to sample, else
one for the batch. A mode that turns out so late goes through all that was made of the state before.

    state mean : Real[D] = zeros
    mean <- 0.9 * mean + 0.1 * across_mean[D](x)
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, Inner, LateCore, PBox, Source_, Stored, Use, W
from catdl.check.context import Context
from catdl.check.forms import parameter_leaf
from catdl.check.names import mentioned
from catdl.check.scope import Env, Shadow
from catdl.check.sources import initialiser
from catdl.check.static import Refused
from catdl.diagram.model import Call, Core
from catdl.record import field, record
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Object

STARTS = frozenset({"constant", "eye", "formula", "ones", "zeros"})
"""How a state may start: the same whenever it starts anew."""


@record(frozen=False)
class Cell:
    """A state of a block: the box that reads it, its old value, and where it is written."""

    node: ast.LocalParam
    box: PBox
    old: Bundle
    span: Span
    written: Span | None = None


@record(frozen=False)
class Cells:
    """The states of one block, by name."""

    found: dict[str, Cell] = field(default_factory=dict)

    def declare(self, ctx: Context, node: ast.LocalParam, scope: Env, b: Builder) -> None:
        """A state: its old value under its name. Raises Refused."""
        span = scope.module.span(node)
        name = Span(span.source, *name_of(span, node.name))
        if node.name in self.found:
            raise ctx.refuse(wrong.DuplicateName(name, node.name, self.found[node.name].span))
        leaf = parameter_leaf(ctx, node.type, scope, node.name, state=True)
        init = initialiser(ctx, node.init, scope)
        if init.name not in STARTS:
            why = "a state starts the same whenever it starts anew"
            raise ctx.refuse(wrong.BadStart(init.span or span, init.name, why, "a state"))
        wire = b.wire(leaf, True, span, node.name)
        box = b.emit(Source_(node.name, False, leaf, init, True), [], [wire], node.name, span)
        b.effects.add("state")
        old = Bundle([wire])
        self.found[node.name] = Cell(node, box, old, name)
        scope.names[node.name] = Shadow(old, scope.find(node.name))

    def store(self, ctx: Context, node: ast.Store, scope: Env, b: Builder) -> None:
        """`k <- e`: from here on the name is that of the new value. Raises Refused."""
        span = scope.module.span(node)
        cell = self.found.get(node.name)
        name = Span(span.source, span.start, span.start + len(node.name))
        if cell is None and scope.find(node.name) is BAD:
            raise Refused  # its declaration was
        if cell is None:
            raise ctx.refuse(wrong.NotAState(name, node.name, tuple(self.found)))
        if cell.written is not None:
            raise ctx.refuse(wrong.StateTwice(name, node.name, cell.written))
        cell.written = name
        value = ctx.wires(node.value, scope, b)
        if value.bad:
            raise Refused
        leaf = cell.old.wires[0].leaf
        wanted = Object((leaf,), (None,))
        if not ctx.ports(value, wanted, scope.module.span(node.value), f"what `{node.name}` holds", way=value.way):
            raise Refused
        wire = b.take(value.wires[0])
        b.emit(Stored(cell.box), [wire], [], node.name, span)
        if not wire.constant:
            differ(cell.old.wires[0])
        scope.names[node.name] = Bundle([wire])

    def close(self, ctx: Context, broken: list[object]) -> None:
        """Report the states that are not written, and those whose old value nothing reads.

        What a block with a mistake, `broken`, mentions might have been read, and what it writes to may be misspelt.
        """
        lost = any(isinstance(s, ast.Bad) or (isinstance(s, ast.Store) and s.name not in self.found) for s in broken)
        excused = mentioned(broken) if broken else set()
        for cell in self.found.values():
            if cell.written is None:
                if not lost:
                    ctx.report(wrong.StateUnwritten(cell.span, cell.node.name))
            elif not cell.old.used and cell.node.name not in excused:
                ctx.report(wrong.StateUnread(cell.span, cell.node.name, cell.written))


def name_of(span: Span, name: str) -> tuple[int, int]:
    """Where the name of a state stands in its declaration, after the word."""
    start = span.start + len("state")
    text = span.source.text
    while text[start].isspace():
        start += 1
    return start, start + len(name)


def differ(state: W) -> None:
    """A wire differs from sample to sample after all: with it all that is made of it, up to what states hold."""
    waiting = [state]
    while waiting:
        wire = waiting.pop()
        if not wire.constant:
            continue
        wire.constant = False
        for box in reading(wire):
            match box.op:
                case Core("across") | LateCore("across"):
                    continue
                case Stored(cell):
                    waiting += cell.outputs
                case Inner(what=what, builder=inner, count=count):
                    entered = (*inner.inputs, *inner.captured.values())
                    waiting += [mine for mine, outer in zip(entered, box.inputs, strict=True) if outer is wire]
                    if what in ("repeat", "fold"):  # what goes round comes in again
                        waiting += inner.inputs[: count if what == "fold" else len(inner.outputs)]
                case _:
                    pass
            waiting += box.outputs


def reading(wire: W) -> list[PBox]:
    """The boxes that read a wire; the index goes on from where it was when someone last asked."""
    b = wire.builder
    while b.scanned < len(b.boxes):
        box = b.boxes[b.scanned]
        b.scanned += 1
        plugged = [wire for _, wire in box.plugs]
        plugged += [wire for plug in box.pending if plug.value is not None for wire in plug.value.wires]
        for read in dict.fromkeys((*box.inputs, *plugged)):
            b.readers.setdefault(read, []).append(box)
    return b.readers.get(wire, [])


def stateful(ctx: Context, made: list[PBox]) -> bool:
    """Whether boxes under construction keep anything."""
    stack = list(made)
    while stack:
        match stack.pop().op:
            case Inner(builder=builder):
                stack += builder.boxes
            case Source_(state=True):
                return True
            case Use(definition=definition):
                if "state" in ctx.library.traits(definition)[1]:
                    return True
            case Call(callee=callee):
                if "state" in callee.effects:
                    return True
            case _:
                pass
    return False
