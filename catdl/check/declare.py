"""Declarations: from the syntax of one file to entities by name.

Takes parsed modules; guarantees that each name means one thing (a second declaration is told and left out) and that the
equations of one morphism stand together.
"""

from __future__ import annotations

from collections.abc import Callable

from catdl import diagnostics as wrong
from catdl.check.coalgebras import coalgebra
from catdl.check.functors import algebra, side_by_side
from catdl.check.names import kind_word
from catdl.check.scope import (
    BadDef,
    Def,
    Env,
    FunctorDef,
    GroupDef,
    KindDef,
    LawDef,
    LearnerDef,
    Module,
    MorphismDef,
    ObjectDef,
    Overload,
    ParamDef,
    PreludeScope,
)
from catdl.check.signature import binder_sorts
from catdl.check.static import Statics
from catdl.check.work import Work
from catdl.diagnostics.base import Diagnostic
from catdl.prelude import Slice
from catdl.record import replace
from catdl.source import Source, Span
from catdl.syntax import ast
from catdl.syntax.parser import parse_fragment
from catdl.types.sizes import Facts


def declare_prelude(scope: PreludeScope, name: str, place: Slice) -> Def:
    """An entry of the prelude, parsed now. Raises ValueError when the prelude's text is wrong."""
    module = scope.module(place.source)
    node = only(place)
    found: Def
    match node:
        case ast.Kind():
            base = scope.find(node.base) if node.base is not None else None
            element = scope.find(node.element) if node.element is not None else None
            found = KindDef(
                name,
                base if isinstance(base, KindDef) else None,
                node.access == "free",
                node.axis is not None,
                element if isinstance(element, KindDef) else None,
                module.span(node),
            )
        case ast.Morphism():
            found = MorphismDef(name, module, [node], Span(module.source, node.name_start, node.name_end))
            found.overloads = tuple(overload(scope, only(p)) for p in scope.prelude.overloads.get(name, ()))
        case ast.Object():
            found = ObjectDef(name, node, module, module.span(node))
        case _:
            raise ValueError(f"the prelude declares {name} in a way that is not read")
    return found


def only(place: Slice) -> ast.Decl:
    """The one declaration of a slice. Raises ValueError when it does not parse."""
    module, found = parse_fragment(place.source, place.start, place.end)
    if found or len(module.decls) != 1:
        text = "; ".join(d.parts().message for d in found) or f"{len(module.decls)} declarations"
        raise ValueError(f"the prelude is wrong in {place.source.path} at {place.source.position(place.start)}: {text}")
    return module.decls[0]


def overload(scope: PreludeScope, node: ast.Decl) -> Overload:
    """One overload of a prelude entry, its kinds made known."""
    assert isinstance(node, ast.Overload)
    literal: object = None
    if node.args:
        literal = Statics(lambda _: None, Facts(), Work()).value(
            node.args[0].value, Env(Module("", Source("prelude", ""), scope))
        )
    inputs = kinds(node.domain)
    if node.target is not None:
        target = scope.find(node.target.id)
        if not isinstance(target, MorphismDef):
            raise ValueError(f"the prelude has no morphism {node.target.id}")
        return Overload(None, inputs, None, "", target)
    outputs = None if node.codomain is None else kinds(node.codomain)
    return Overload(literal, inputs, outputs, node.message)


def kinds(node: ast.Expr) -> tuple[str, ...]:
    """The kinds on one side of an overload."""
    legs = node.legs if isinstance(node, ast.Tensor) else (node,)
    words = [kind_word(leg) for leg in legs]
    if None in words:
        raise ValueError("an overload lists kinds")
    return tuple(word for word in words if word is not None)


def declare(module: Module, tree: ast.Module, report: Callable[[Diagnostic], None]) -> list[tuple[str, ast.Decl]]:
    """Enter the declarations of a file, in text order; dims and kinds are resolved later. Gives what was entered."""
    entered: list[tuple[str, ast.Decl]] = []
    spans = {
        name.alias: Span(module.source, name.start, name.end)
        for node in tree.decls
        if isinstance(node, ast.Import)
        for name in node.names
    }
    last: str | None = None
    for node in tree.decls:
        match node:
            case ast.Import() | ast.Where() | ast.Overload():
                last = None
                continue
            case ast.Morphism(name=name, keyword=keyword) if keyword != "law":
                known = module.defs.get(name)
                where = Span(module.source, node.name_start, node.name_end)
                sorts: dict[str, str] | None = None
                on_functor = {"algebra": algebra, "coalgebra": coalgebra}.get(keyword)
                made = on_functor(node, module.source) if on_functor is not None else None
                if made is not None:
                    sorts = binder_sorts(side_by_side(node)) if node.binders or node.params else None
                    node = made
                if (
                    isinstance(known, MorphismDef)
                    and last == name
                    and node.params is not None
                    and known.head.params is not None
                ):
                    known.equations.append(node)
                    continue
                if name in module.defs:
                    report(wrong.DuplicateName(where, name, spans[name]))
                    last = None
                    continue
                module.defs[name] = MorphismDef(name, module, [node], where, sorts=sorts)
                spans[name] = where
                last = name
            case _:
                name = node.name
                where = module.span(node)
                last = None
                if name in module.defs:
                    report(wrong.DuplicateName(where, name, spans.get(name, where)))
                    continue
                spans[name] = where
                match node:
                    case ast.Object():
                        module.defs[name] = ObjectDef(name, node, module, where)
                    case ast.Functor():
                        module.defs[name] = FunctorDef(name, node, module, where)
                    case ast.Group():
                        module.defs[name] = GroupDef(name, node, module, where)
                    case ast.Param():
                        module.defs[name] = ParamDef(name, node, module, where)
                    case ast.Morphism():
                        span = Span(module.source, node.name_start, node.name_end)
                        module.defs[name] = LawDef(name, node, module, span)
                    case ast.Learner():
                        span = Span(module.source, node.name_start, node.name_end)
                        module.defs[name] = LearnerDef(name, node, module, span)
                    case _:
                        module.defs[name] = BadDef(name)  # dims and kinds replace it when they are read
        entered.append((name, node))
    for definition in module.defs.values():
        if isinstance(definition, MorphismDef) and len(definition.equations) > 1:
            share_signature(definition)
    return entered


def share_signature(definition: MorphismDef) -> None:
    """Equations after the first may leave out the signature."""
    head = definition.head
    definition.equations = [
        e if e.signature is not None else replace(e, signature=head.signature, binders=head.binders, where=head.where)
        for e in definition.equations
    ]
