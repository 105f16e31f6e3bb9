"""How each expression is printed: its pieces, in order.

Takes a node; guarantees a flat list of texts and of nodes that are still to be printed, each with the level that its
place asks for: a node that binds looser stands in parentheses.

    parts(Call(f, (Arg x,)), 0)          # [Work(f, POSTFIX), "(", Work(x, ARROW), ")"]
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple, TypeAlias, assert_never

from catdl.syntax import ast


class Level(IntEnum):
    """How tight an expression binds; a place asks for at least some level."""

    ARROW = 0  # where `A -> B` may stand bare: items of brackets, signatures
    OPEN = 1  # where a lambda or an `if` may: bodies, values, arguments
    PIPE = 2
    FAN = 3
    LEG = 4  # of a fan, which may have a name
    COMPARISON = 5
    SUM = 6
    TENSOR = 7
    PRODUCT = 8
    UNARY = 9
    POWER = 10
    POSTFIX = 11


class Work(NamedTuple):
    """A node to be printed in a place that asks for a level, inside so many blocks."""

    node: ast.Expr | ast.Statement
    level: Level
    indent: int


class Mark(NamedTuple):
    """Where a statement begins (`opens`) or ends; one with a leading `-` needs parentheses, or it would go on the
    line before."""

    opens: bool


Part: TypeAlias = str | Work | Mark
Parts: TypeAlias = list[Part]

_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"})
_CHAINS = {"+": Level.SUM, "-": Level.SUM, "*": Level.PRODUCT, "/": Level.PRODUCT, "//": Level.PRODUCT}


def quoted(text: str) -> str:
    """A text literal."""
    return f'"{text.translate(_ESCAPES)}"'


def separated(groups: Iterable[Parts], separator: str) -> Parts:
    """The groups with a separator between them."""
    parts: Parts = []
    for group in groups:
        if parts:
            parts.append(separator)
        parts += group
    return parts


def level_of(node: ast.Expr | ast.Statement, bare: bool) -> Level:
    """How tight a node binds; `bare` says that its last step may be a lambda or an `if` without parentheses."""
    match node:
        case ast.Arrow():
            return Level.ARROW
        case ast.Lambda() | ast.If():
            return Level.OPEN
        case ast.Seq():
            return Level.OPEN if bare and _is_open(node.steps[-1]) else Level.PIPE
        case ast.Labelled():
            return Level.OPEN if bare and _is_open(node) else Level.LEG
        case ast.Fan():
            return Level.FAN
        case ast.Chain():
            return _CHAINS.get(node.operators[0], Level.COMPARISON)
        case ast.Tensor():
            return Level.TENSOR
        case ast.Negate() | ast.Tie():
            return Level.UNARY
        case ast.Power():
            return Level.POWER
        case _:
            return Level.POSTFIX


def _is_open(step: ast.Expr) -> bool:
    if isinstance(step, ast.Labelled):
        return isinstance(step.body, ast.Lambda | ast.If)
    return isinstance(step, ast.If)


def parts(work: Work) -> Parts:
    """The pieces of a node, with parentheses if its place asks for tighter binding."""
    node, level, indent = work
    bare = level <= Level.OPEN
    if level_of(node, bare) < level:
        return ["(", *_inner(node, indent, True), ")"]
    return _inner(node, indent, bare)


def _inner(node: ast.Expr | ast.Statement, indent: int, bare: bool) -> Parts:
    def at(child: ast.Expr, level: Level) -> Work:
        return Work(child, level, indent)

    match node:
        case ast.Name():
            return [node.id]
        case ast.Number():
            return [node.text]
        case ast.Text():
            return [quoted(node.value)]
        case ast.Splice():
            return [f"..{node.name or ''}"]
        case ast.Tuple():
            return _tuple(node, indent)
        case ast.List():
            return ["[", *separated(([at(item, Level.OPEN)] for item in node.items), ", "), "]"]
        case ast.Copair():
            return ["[", *separated(([at(leg, Level.OPEN)] for leg in node.legs), " | "), "]"]
        case ast.Comprehension():
            head: Parts = ["[", at(node.value, Level.OPEN), " for ", at(node.target, Level.PIPE)]
            return [*head, " in ", at(node.source, Level.OPEN), "]"]
        case ast.Call():
            return [at(node.function, Level.POSTFIX), "(", *items(node.args, indent, False), ")"]
        case ast.Index():
            return [at(node.base, Level.POSTFIX), "[", *_axes(node.items, indent), "]"]
        case ast.Plug():
            return [at(node.base, Level.POSTFIX), "{", *items(node.items, indent, True), "}"]
        case ast.Field():
            return [at(node.base, Level.POSTFIX), f".{node.name}"]
        case ast.Seq():
            return _seq(node, indent, bare)
        case ast.Fan():
            return separated(([at(leg, Level.LEG)] for leg in node.legs), " & ")
        case ast.Tensor():
            return separated(([at(leg, Level.PRODUCT)] for leg in node.legs), " @ ")
        case ast.Chain():
            level = Level(level_of(node, False) + 1)
            pieces: Parts = [at(node.operands[0], level)]
            for operator, operand in zip(node.operators, node.operands[1:], strict=True):
                pieces += [f" {operator} ", at(operand, level)]
            return pieces
        case ast.Negate():
            return ["-", at(node.operand, Level.UNARY)]
        case ast.Power():
            return [at(node.base, Level.POSTFIX), " ^ ", at(node.exponent, Level.UNARY)]
        case ast.Arrow():
            sign = " ~> " if node.random else " -> "
            return [at(node.domain, Level.SUM), sign, at(node.codomain, Level.SUM)]
        case ast.Lambda():
            return [at(node.pattern, Level.PIPE), " => ", at(node.body, Level.OPEN)]
        case ast.Labelled():
            inner = Level.OPEN if bare and _is_open(node) else Level.COMPARISON
            return [f"{node.name}: ", at(node.body, inner)]
        case ast.Tie():
            return [f"{node.word} ", at(node.body, Level.UNARY)]
        case ast.If():
            head = ["if ", at(node.condition, Level.PIPE), " then ", at(node.then, Level.OPEN)]
            return [*head, " else ", at(node.orelse, Level.OPEN)]
        case ast.Block():
            return _block(node, indent)
        case ast.Bad():
            return ["…"]
        case ast.Bind() | ast.Box() | ast.Emit() | ast.LocalParam() | ast.Store():
            return _statement(node, indent)
        case _:
            assert_never(node)


def _seq(node: ast.Seq, indent: int, bare: bool) -> Parts:
    groups: list[Parts] = [_left_step(step, indent) for step in node.steps[:-1]]
    last = node.steps[-1]
    if bare and _is_open(last):
        groups.append([Work(last, Level.OPEN, indent)])
    else:
        groups.append([Work(last, Level.FAN, indent)])
    return separated(groups, " >> ")


def _left_step(step: ast.Expr, indent: int) -> Parts:
    """A step before `>>`, where arithmetic stands in parentheses."""
    if isinstance(step, ast.Labelled):
        return [f"{step.name}: ", Work(step.body, max(_left_level(step.body), Level.COMPARISON), indent)]
    return [Work(step, _left_level(step), indent)]


def _left_level(step: ast.Expr) -> Level:
    arithmetic = isinstance(step, ast.Chain) and step.operators[0] in _CHAINS
    return Level.POSTFIX if arithmetic else Level.FAN


def items(args: Iterable[ast.Arg], indent: int, labels: bool) -> Parts:
    """The items of a bracket. `labels` says that a bare `name: e` there would be read as a label."""
    return separated((item(arg, indent, labels) for arg in args), ", ")


def item(arg: ast.Arg, indent: int, labels: bool) -> Parts:
    """One item."""
    value = arg.value
    if arg.sep == "=":
        return [f"{arg.name} = ", Work(value, Level.OPEN, indent)]
    if arg.sep == ":":
        inner = Level.OPEN if isinstance(value, ast.Lambda | ast.If) else Level.COMPARISON
        return [f"{arg.name}: ", Work(value, inner, indent)]
    closed = labels and isinstance(value, ast.Labelled)
    return [Work(value, Level.POSTFIX if closed else Level.ARROW, indent)]


def _axes(args: tuple[ast.Arg, ...], indent: int) -> Parts:
    return separated((_axis(arg, indent) for arg in args), ", ")


def _axis(arg: ast.Arg, indent: int) -> Parts:
    names = merged_names(arg.value) if not arg.sep else None
    return item(arg, indent, True) if names is None else [f"({' '.join(names)})"]


def merged_names(value: ast.Expr) -> list[str] | None:
    """The names of a merged axis without sizes: `(h d)`."""
    if not isinstance(value, ast.Tuple) or len(value.items) < 2:
        return None
    names = [arg.value.id for arg in value.items if not arg.sep and isinstance(arg.value, ast.Name)]
    return names if len(names) == len(value.items) else None


def _tuple(node: ast.Tuple, indent: int) -> Parts:
    comma = "," if len(node.items) == 1 and node.items[0].sep != "=" else ""
    return ["(", *items(node.items, indent, True), comma, ")"]


def _block(node: ast.Block, indent: int) -> Parts:
    margin = "\n" + "    " * (indent + 1)
    pieces: Parts = ["{"]
    for statement in (*node.statements, node.result):
        pieces += [margin, Mark(True), Work(statement, Level.OPEN, indent + 1), Mark(False)]
    return [*pieces, "\n" + "    " * indent, "}"]


def _statement(node: ast.Bind | ast.Box | ast.Emit | ast.LocalParam | ast.Store, indent: int) -> Parts:
    match node:
        case ast.Bind(pattern, ast.Call(_, (law,)), drawn=True):
            return [*_target(pattern, indent), " ~ ", Work(law.value, Level.OPEN, indent)]
        case ast.Bind():
            return [*_target(node.pattern, indent), " = ", Work(node.value, Level.OPEN, indent)]
        case ast.Box():
            tie = f"{node.tie} " if node.tie else ""
            return [f"box {tie}{node.name} = ", Work(node.value, Level.OPEN, indent)]
        case ast.Emit():
            return [f"emit {node.name} = ", Work(node.value, Level.OPEN, indent)]
        case ast.Store():
            return [f"{node.name} <- ", Work(node.value, Level.OPEN, indent)]
        case ast.LocalParam() if node.state and node.init is not None:
            head: Parts = [f"state {node.name} : ", Work(node.type, Level.SUM, indent)]
            return [*head, " = ", Work(node.init, Level.OPEN, indent)]
        case ast.LocalParam():
            pieces: Parts = [f"param {node.name} : ", Work(node.type, Level.SUM, indent)]
            if node.init is not None:
                pieces += [" ~ ", Work(node.init, Level.SUM, indent)]
            if node.condition is not None:
                pieces += [" if ", Work(node.condition, Level.PIPE, indent)]
            return pieces
        case _:
            assert_never(node)


def _target(pattern: ast.Expr, indent: int) -> Parts:
    """The names before `=`: a tuple of several needs no parentheses."""
    if isinstance(pattern, ast.Tuple) and len(pattern.items) > 1:
        return items(pattern.items, indent, True)
    return [Work(pattern, Level.PIPE, indent)]
