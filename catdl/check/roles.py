"""Roles of dims: the words after the colon, read and checked, and the action that they say.

Takes the roles of a declared dim and its size. Guarantees that every word is known and has the arguments it takes, that
one word at most says how a group acts, and that the size is that of the group's axes.

    dim L = 5 : irrep(2)      Act(Matrices("SO", 3), 2)
"""

from __future__ import annotations

from collections.abc import Callable

from catdl import diagnostics as wrong
from catdl.check.context import Context
from catdl.check.scope import Env
from catdl.check.static import Refused
from catdl.check.values import as_number
from catdl.diagnostics.base import Diagnostic
from catdl.diagnostics.suggest import near
from catdl.source import Span
from catdl.symmetry.actions import FAMILIES, ROTATIONS, Act, Cyclic, Matrices, Shifts, Symmetric
from catdl.syntax import ast
from catdl.types.sizes import Size
from catdl.types.types import Axis, plain

PLAIN = ("batch", "cycle", "grid", "set", "time", "var")
ROLES = (*PLAIN, "irrep", "point", "regular", "vector")
ACTING = {"cycle", "grid", "irrep", "point", "regular", "set", "time", "vector"}
LORENTZ = 4  # time and space
NAMES = ", ".join(f"`{name}`" for name in FAMILIES)
REGULAR = "regular(D4)", "`regular` takes the name of a declared group"
IRREP = "irrep(1)", "`irrep` takes a degree: 0, 1, 2, …"


def read_roles(
    ctx: Context, env: Env, node: ast.Dim, axis: Axis, report: Callable[[Diagnostic], None]
) -> tuple[Act | None, str | None]:
    """How a group acts on a dim, if one does; and the word among its roles that stands for no group, if any does."""
    found: Act | None = None
    other: str | None = None
    first: Span | None = None
    for role in node.roles:
        word, args = (role.function, role.args) if isinstance(role, ast.Call) else (role, None)
        if not isinstance(word, ast.Name):  # what cannot be read is told where it is parsed
            continue
        where = env.module.span(role)
        if word.id not in ROLES:
            report(wrong.UnknownName(env.module.span(word), word.id, "role", near(word.id, ROLES), ROLES))
            continue
        if word.id in ACTING:
            if first is not None:
                report(wrong.RolesClash(where, node.name, word.id, first))
                continue
            first = where
        try:
            act = _act(ctx, env, word.id, args, where, axis, report)
        except Refused:
            continue
        if word.id == "grid" or (act is None and word.id != "var"):
            other = word.id
        found = found or act
    return found, other


def _act(
    ctx: Context,
    env: Env,
    word: str,
    args: tuple[ast.Arg, ...] | None,
    where: Span,
    axis: Axis,
    report: Callable[[Diagnostic], None],
) -> Act | None:
    """The action that one role says. Raises Refused."""
    label = axis.label
    assert isinstance(label, str)
    match word:
        case "set" | "cycle" | "grid" if not args:
            made = Symmetric if word == "set" else Cyclic if word == "cycle" else Shifts
            return Act(made(label, axis.size))
        case "vector" | "point":
            family = args[0].value if args is not None and len(args) == 1 and args[0].sep != "=" else None
            if not isinstance(family, ast.Name):
                report(wrong.RoleArguments(where, f"{word}(O)", f"`{word}` takes a group of matrices: {NAMES}"))
                raise Refused
            if family.id not in FAMILIES:
                close = near(family.id, FAMILIES)
                report(wrong.UnknownName(env.module.span(family), family.id, "group", close, FAMILIES))
                raise Refused
            size = LORENTZ if "Lorentz" in family.id else axis.size
            return Act(Matrices(family.id, _fixed(size, axis, where, report)), point=word == "point")
        case "regular":
            if args is None or len(args) != 1 or args[0].sep == "=" or not isinstance(args[0].value, ast.Name):
                report(wrong.RoleArguments(where, *REGULAR))
                raise Refused
            return None  # the groups of the file are read once its dims are known
        case "irrep":
            if args is None or len(args) != 1 or args[0].sep == "=":
                report(wrong.RoleArguments(where, *IRREP))
                raise Refused
            degree = as_number(ctx.statics.value(args[0].value, env))
            if isinstance(degree, bool) or not isinstance(degree, int) or degree < 0:
                report(wrong.RoleArguments(where, *IRREP))
                raise Refused
            _fixed(2 * degree + 1, axis, where, report)
            return Act(ROTATIONS, degree)
        case _ if args is not None:
            report(wrong.RoleArguments(where, word, f"`{word}` takes no argument"))
            raise Refused
        case _:
            return None


def _fixed(size: Size, axis: Axis, where: Span, report: Callable[[Diagnostic], None]) -> int:
    """The size that an axis must have. Raises Refused where it has another, or none that is fixed."""
    assert isinstance(axis.label, str)
    if not isinstance(axis.size, int) or axis.size != size:
        wanted = size if isinstance(size, int) else None
        report(
            wrong.RoleSize(
                where, plain(axis.label), where.text, wanted, str(axis.size) if isinstance(axis.size, int) else None
            )
        )
        raise Refused
    return axis.size
