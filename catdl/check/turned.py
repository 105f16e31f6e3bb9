"""Legs of `@` that stand in another order than what comes in: one mistake, told at the first leg.

Takes the legs of one tensor as they are applied; guarantees that what each tells is told in order, and that legs which
are refused, but would all take what came to the others, are told of once.

    (d, h) >> f_of_h @ g_of_d       one mistake
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from types import TracebackType

from catdl.check.builder import Builder, Bundle
from catdl.check.context import Context
from catdl.check.emit import closed_leaf
from catdl.check.scope import Env
from catdl.diagnostics.base import Diagnostic, has_errors
from catdl.record import record
from catdl.syntax import ast

MOST = 3  # legs of which all orders are tried


@record
class Applied:
    """One leg: what came to it, and what it told."""

    leg: ast.Expr
    env: Env
    b: Builder
    inp: Bundle
    told: list[Diagnostic]


class Turned:
    """What the legs of one tensor tell, held back until all of them are applied."""

    __slots__ = ("_ctx", "_legs", "_tell")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._tell: Callable[[Diagnostic], None] = ctx.told
        self._legs: list[Applied] = []

    def __enter__(self) -> Turned:
        return self

    def leg(self, leg: ast.Expr, env: Env, b: Builder, inp: Bundle) -> Bundle:
        """One leg applied."""
        applied = Applied(leg, env, b, inp, [])
        self._legs.append(applied)
        self._ctx.told = applied.told.append
        return self._ctx.apply(leg, env, b, inp)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ctx.told = self._tell
        wrong = [applied for applied in self._legs if has_errors(applied.told)]
        once = kind is None and self._ctx.over is None and 1 < len(wrong) <= MOST and self._meet(wrong)
        for applied in self._legs:
            if not once or applied is wrong[0] or applied not in wrong:
                for diagnostic in applied.told:
                    self._tell(diagnostic)

    def _meet(self, wrong: list[Applied]) -> bool:
        """Whether each takes what came to another."""
        inputs = [applied.inp for applied in wrong]
        if not all(closed_leaf(wire.leaf) for inp in inputs for wire in inp.wires):
            return False
        return any(
            all(map(self._takes, wrong, order))
            for order in permutations(inputs)
            if all(inp is not applied.inp for inp, applied in zip(order, wrong, strict=True))
        )

    def _takes(self, applied: Applied, inp: Bundle) -> bool:
        """Whether a leg takes some wires."""
        quiet = self._ctx.quiet()
        quiet.depth = self._ctx.depth
        out = quiet.apply(applied.leg, applied.env, Builder(applied.b.name, applied.b), inp)
        return not quiet.failed and not out.bad
