"""How each declaration is printed: its pieces, in order. See `print_parts`.

Takes a declaration; guarantees its pieces without doc comment and without its body, and the body apart, so that the
printer may break the line between them.
"""

from __future__ import annotations

from typing import assert_never

from catdl.syntax import ast
from catdl.syntax.print_parts import Level, Parts, Work, items, quoted, separated


def decl_parts(decl: ast.Decl) -> tuple[Parts, ast.Expr | None]:
    """What stands before `=`, and what stands after it."""
    match decl:
        case ast.Dim():
            pieces: Parts = [f"dim {decl.name}"]
            if decl.size is not None:
                pieces += [" = ", Work(decl.size, Level.SUM, 0)]
            if decl.roles:
                pieces += [" : ", *separated(([Work(role, Level.POSTFIX, 0)] for role in decl.roles), " ")]
            return pieces, None
        case ast.Where():
            return _where(decl), None
        case ast.Kind():
            axis = f"[{decl.axis}]" if decl.axis is not None else ""
            axis += f" of {decl.element}" if decl.element is not None else ""
            base = f" : {decl.access} {decl.base}" if decl.base is not None else ""
            return [f"kind {decl.name}{axis}{base}"], None
        case ast.Object():
            return [f"object {decl.name}{_binders(decl.binders)}"], decl.value
        case ast.Functor():
            return [f"functor {decl.name}{_binders(decl.binders)}({decl.variable})"], decl.value
        case ast.Param():
            pieces = [f"param {decl.name} : ", Work(decl.type, Level.SUM, 0)]
            if decl.init is not None:
                pieces += [" ~ ", Work(decl.init, Level.OPEN, 0)]
            return pieces, None
        case ast.Group():
            places = separated(([Work(place, Level.OPEN, 0)] for place in decl.places), ", ")
            given = [" ", *_where(decl.where)] if decl.where is not None else []
            return [f"{decl.keyword} {decl.name} on ", *places, *given], decl.value
        case ast.Morphism():
            return _morphism(decl), decl.body
        case ast.Overload():
            return _overload(decl), None
        case ast.Learner():
            return _learner(decl), None
        case ast.Import():
            names = ", ".join(
                entry.name if entry.alias == entry.name else f"{entry.name} as {entry.alias}" for entry in decl.names
            )
            return [f"from {decl.module} import {names}"], None
        case _:
            assert_never(decl)


def _where(where: ast.Where) -> Parts:
    return ["where ", *separated((_fact(fact) for fact in where.facts), ", ")]


def _fact(fact: ast.Fact) -> Parts:
    return [Work(fact.left, Level.SUM, 0), f" {fact.op} ", Work(fact.right, Level.SUM, 0)]


def _morphism(decl: ast.Morphism) -> Parts:
    words = [*decl.modifiers, "extern morphism" if decl.keyword == "extern" else decl.keyword, decl.name]
    pieces: Parts = [" ".join(words), _binders(decl.binders)]
    if decl.params is not None:
        pieces += ["(", *separated((_param(param) for param in decl.params), ", "), ")"]
    if decl.signature is not None:
        pieces += [" : ", Work(decl.signature, Level.ARROW, 0)]
    if decl.where is not None:
        pieces += [" ", *_where(decl.where)]
    return pieces


def _binders(binders: tuple[ast.Binder, ...]) -> str:
    return f"[{', '.join(map(_binder, binders))}]" if binders else ""


def _binder(binder: ast.Binder) -> str:
    if binder.row:
        return f"..{binder.name}"
    return binder.name if binder.sort is None else f"{binder.name} : {binder.sort}"


def _param(param: ast.StaticParam) -> Parts:
    if param.literal is not None:
        return [Work(param.literal, Level.UNARY, 0)]
    pieces: Parts = [f"{param.tie} {param.name}" if param.tie else f"{param.name}"]
    if param.sort is not None:
        level = Level.ARROW if isinstance(param.sort, ast.Arrow) else Level.SUM
        pieces += [" : ", Work(param.sort, level, 0)]
    if param.default is not None:
        pieces += [" = ", Work(param.default, Level.OPEN, 0)]
    return pieces


def _learner(decl: ast.Learner) -> Parts:
    """A field on each line; alternatives stand without brackets."""
    pieces: Parts = [f"learner {decl.name} {{"]
    for field in decl.fields:
        if isinstance(field, ast.Store):
            pieces += [f"\n    {field.name} <- ", Work(field.value, Level.OPEN, 1)]
            continue
        assert isinstance(field.pattern, ast.Name)
        pieces.append(f"\n    {field.pattern.id} = ")
        legs = field.value.legs if isinstance(field.value, ast.Copair) else (field.value,)
        pieces += separated(([Work(leg, Level.OPEN, 1)] for leg in legs), " | ")
    return [*pieces, "\n}"]


def _overload(decl: ast.Overload) -> Parts:
    pieces: Parts = [f"overload {decl.name}"]
    if decl.args:
        pieces += ["(", *items(decl.args, 0, False), ")"]
    pieces += [" : ", Work(decl.domain, Level.SUM, 0)]
    if decl.target is not None:
        return [*pieces, f" = {decl.target.id}"]
    pieces.append(" -> ")
    pieces.append("never" if decl.codomain is None else Work(decl.codomain, Level.SUM, 0))
    if decl.message:
        pieces.append(f" {quoted(decl.message)}")
    return pieces
