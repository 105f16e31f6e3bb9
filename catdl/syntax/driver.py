"""The parser's loop: tables, tokens and actions in, declarations out.

Takes a `Stream`; guarantees for every declaration what could be read of it, and one diagnostic per stretch that could
not. There is no recursion and no tree but the AST: the state stack is the only thing that grows with nesting. After a
mistake the loop goes on at the next statement of the block, at the body after a signature, or at the next declaration.

Lark makes the tables (see `tables`); the loop is here because on `f >> g >> …` lark's own spends most of its time on
passing one value through the twelve levels of precedence, and because recovery needs the stack.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from typing import Any

from catdl.diagnostics.base import Diagnostic
from catdl.record import record
from catdl.source import Source, Span
from catdl.syntax import ast
from catdl.syntax.build_decl import Builder
from catdl.syntax.layout import Stream
from catdl.syntax.recover import RESUMABLE, resume_at, statement, stub
from catdl.syntax.tables import ACCEPT, load

TREE_LIMIT = 250
"""How deep the tree of one declaration may be."""

_DEEPER = frozenset(
    {"arrow", "arrow_item", "as_", "block", "call", "chain", "comprehension", "fan", "field", "group", "if_", "index"}
    | {"labelled", "lambda_", "list_", "negate", "plug", "power", "seq", "seq_labelled", "tensor", "tie"}
)
_Action = Callable[[Builder, list[Any], int, int], Any]
_Rule = tuple[str, int, _Action | None, tuple[int, ...] | None, int]


@cache
def _rules() -> list[_Rule]:
    """For each production: origin, size, action, places of the arguments, and whether the tree gets deeper."""
    rules: list[_Rule] = []
    for rule in load().rules:
        if rule.action is None or rule.origin in ("start", "decls"):  # a file is parsed declaration by declaration
            rules.append((rule.origin, rule.size, None, None, 0))
        else:
            deeper = int(rule.action in _DEEPER)
            rules.append((rule.origin, rule.size, getattr(Builder, rule.action), rule.shape, deeper))
    return rules


@record
class _Landing:
    """A part to give up: its place on the stack, which part it is, its first token, and the token to go on at."""

    place: int
    part: str
    start: int
    resumed: int


class Driver:
    """Parses the chunks of one stream."""

    def __init__(self, source: Source, stream: Stream, found: list[Diagnostic]) -> None:
        self.tables = load()
        self.source = source
        self.stream = stream
        self.found = found
        self.builder = Builder(source, stream, found)

    def parse(self, index: int) -> list[ast.Decl]:
        """The declarations of the chunk that starts at a token."""
        actions, landings, land, rules = self.tables.actions, self.tables.landings, self.tables.land, _rules()
        kinds, builder = self.stream.kinds, self.builder
        begin = index
        states = [self.tables.start]
        values: list[Any] = []
        firsts: list[int] = []
        depths: list[int] = []
        while True:
            kind = kinds[index]
            action = actions[states[-1]].get(kind)
            while action is not None and action < 0:
                origin, size, act, shape, deeper = rules[~action]
                if act is not None:
                    if size == 1:
                        arguments = [values[-1]]
                        depth = depths[-1] + deeper
                    else:
                        arguments = values[-size:]
                        depth = max(depths[-size:]) + deeper
                        cut = 1 - size
                        del values[cut:], firsts[cut:], depths[cut:], states[cut:]
                    if shape is not None:
                        arguments = [None if place < 0 else arguments[place] for place in shape]
                    values[-1] = act(builder, arguments, firsts[-1], index - 1)
                    depths[-1] = depth
                    if depth > TREE_LIMIT:
                        self._too_deep(firsts[-1], index - 1)
                        return stub(self.stream, self.source, begin)
                below = states[-2]
                landed = landings.get((below, origin, kind))
                state = land(below, origin, kind) if landed is None else landed
                states[-1] = state
                action = actions[state].get(kind)
            if action is None:
                landing = self._landing(states, values, firsts, index)
                self._report(states, begin, landing.start if landing else begin, index)
                if landing is None:
                    builder.finish()
                    return stub(self.stream, self.source, begin)
                self._land(landing, states, values, firsts, depths)
                index = landing.resumed
            elif action == ACCEPT:
                builder.finish()
                decls: list[ast.Decl] = values[-1]
                return decls
            else:
                states.append(action)
                values.append(index)
                firsts.append(index)
                depths.append(0)
                index += 1

    def _landing(self, states: list[int], values: list[Any], firsts: list[int], index: int) -> _Landing | None:
        """The innermost part that can be given up, so that reading goes on after it; None if there is none."""
        gotos = self.tables.gotos
        for place in range(len(states) - 1, 0, -1):
            row = gotos[states[place]]
            for name in RESUMABLE:
                if name not in row:
                    continue
                start = firsts[place] if place < len(firsts) else index
                resumed = resume_at(self.stream, name, start, index, values[:place])
                if resumed is not None:
                    return _Landing(place, name, start, resumed)
        return None

    def _land(
        self, landing: _Landing, states: list[int], values: list[Any], firsts: list[int], depths: list[int]
    ) -> None:
        """Cut the stack to the start of the part and put what is left of it there."""
        place, start = landing.place, landing.start
        offset = self.stream.starts[start]
        bad = ast.Bad(offset, max(offset, self.stream.ends[landing.resumed - 1]))
        del states[place + 1 :], values[place:], firsts[place:], depths[place:]
        states.append(self.tables.gotos[states[place]][landing.part])
        match landing.part:
            case "where":
                values.append(ast.Where((), bad.start, bad.end))
            case "statement" | "entry":
                values.append(statement(self.stream, self.source, start, bad))
            case _:
                values.append(bad)
        firsts.append(start)
        depths.append(0)

    def _report(self, states: list[int], begin: int, part: int, index: int) -> None:
        """Say what cannot stand at a token, unless something before it in its part has already been reported."""
        stream = self.stream
        first, offset = stream.starts[part], stream.starts[index]
        if stream.kinds[index] in ("NL", "$END"):  # what could not be read stands between the last token and the next
            offset = stream.starts[index + 1] if index + 1 < len(stream.starts) else len(self.source.text)
        known = bisect_left(stream.damage, first)
        if known < len(stream.damage) and stream.damage[known] <= offset:
            return
        from catdl.syntax.expected import unexpected  # with all the mistakes it knows: a clean file does not pay for it

        self.found.append(unexpected(self.tables, self.source, stream, states, begin, index))

    def _too_deep(self, first: int, last: int) -> None:
        from catdl.diagnostics import syntax_errors as wrong

        span = Span(self.source, self.stream.starts[first], self.stream.ends[last])
        self.found.append(wrong.NestedTooDeep(span, TREE_LIMIT))
