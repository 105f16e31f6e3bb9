"""Objects with axes of their own, written out where they are used.

Takes `Normal[T, Z]` and `object Normal[..S] = (mean: Real[..S], std: Std[..S])`; guarantees the
expression `(mean: Real[T, Z], std: Std[T, Z])`, whose parts all stand where the use stands.
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.names import mentioned
from catdl.check.scope import Env, ObjectDef
from catdl.check.static import Statics
from catdl.syntax import ast


def written_out(statics: Statics, node: ast.Expr, env: Env) -> ast.Expr | None:
    """What a family with its axes stands for; None for any other expression. Raises Refused."""
    base, items = (node.base, node.items) if isinstance(node, ast.Index) else (node, ())
    found = env.find(base.id) if isinstance(base, ast.Name) else None
    if not isinstance(found, ObjectDef) or not found.node.binders:
        return None
    env.module.used.add(found.name)
    binders = found.node.binders
    rows = [place for place, binder in enumerate(binders) if binder.row]
    first = rows[0] if rows else len(binders)
    after = len(binders) - first - len(rows)
    if len(items) < first + after:
        shown = ", ".join(f"..{binder.name}" if binder.row else binder.name for binder in binders)
        raise statics.refuse(
            wrong.BadValue(env.module.span(node), f"`{found.name}` is of axes: `{found.name}[{shown}]`")
        )
    if not rows and len(items) > len(binders):
        raise statics.refuse(wrong.TooManyArguments(env.module.span(node), found.name, len(binders), len(items)))
    given: dict[str, tuple[ast.Arg, ...]] = {
        binder.name: (item,) for binder, item in zip(binders[:first], items, strict=False)
    }
    if rows:
        end = len(items) - after
        given[binders[first].name] = items[first:end]
        given |= {binder.name: (item,) for binder, item in zip(binders[first + 1 :], items[end:], strict=True)}
    value = found.node.value
    ports = [item.name for item in value.items] if isinstance(value, ast.Tuple) else []  # no names of anything
    for name in sorted(mentioned([value]).difference(ports, (binder.name for binder in binders))):
        meant = found.module.find(name)
        if meant is not None and env.find(name) is not meant:
            words = f"`{found.name}` speaks of `{name}` of its own file: import that as well"
            raise statics.refuse(wrong.BadValue(env.module.span(node), words))
    return _Use(given, node.start, node.end).expr(value)


class _Use:
    """One use of a family: what its binders stand for, and where it stands."""

    def __init__(self, given: dict[str, tuple[ast.Arg, ...]], start: int, end: int) -> None:
        self.given = given
        self.start = start
        self.end = end

    def expr(self, node: ast.Expr) -> ast.Expr:
        """A type, which nests as deep as the parser lets it."""
        start, end = self.start, self.end
        match node:
            case ast.Name(id):
                return self.given[id][0].value if id in self.given else ast.Name(id, start, end)
            case ast.Tuple(items):
                return ast.Tuple(self.args(items), start, end)
            case ast.Index(base, items):
                return ast.Index(self.expr(base), self.args(items), start, end)
            case ast.Call(function, args):
                return ast.Call(self.expr(function), self.args(args), start, end)
            case ast.Tensor(legs):
                return ast.Tensor(tuple(map(self.expr, legs)), start, end)
            case ast.Chain(operands, operators):
                return ast.Chain(tuple(map(self.expr, operands)), operators, start, end)
            case ast.Power(base, exponent):
                return ast.Power(self.expr(base), self.expr(exponent), start, end)
            case ast.Labelled(name, body):
                return ast.Labelled(name, self.expr(body), start, end)
            case ast.Number(value, text):
                return ast.Number(value, text, start, end)
            case _:
                return node

    def args(self, items: tuple[ast.Arg, ...]) -> tuple[ast.Arg, ...]:
        """Several parts; a row is as many as it was given."""
        out: list[ast.Arg] = []
        for item in items:
            match item.value:
                case ast.Splice(str(name)):
                    out += self.given[name]
                case value:
                    out.append(ast.Arg(item.name, item.sep, self.expr(value), self.start, self.end))
        return tuple(out)
