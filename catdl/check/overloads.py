"""Overloads that a file declares for its own kinds: `overload exp : LogRate -> Rate`.

Takes the kinds of a file; guarantees that an overload mentions one of them, so that what two files declare never meets
and the meaning of the prelude's own kinds stays what it is.
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.context import Context
from catdl.check.names import kind_word
from catdl.check.program import Program
from catdl.check.scope import BadDef, Env, KindDef, Module, MorphismDef, Overload
from catdl.check.static import Refused
from catdl.diagnostics.suggest import near
from catdl.syntax import ast


def read_overloads(program: Program, module: Module, tree: ast.Module) -> None:
    """Enter the overloads of a file."""
    for node in tree.decls:
        if isinstance(node, ast.Overload):
            try:
                read_overload(program, module, node)
            except Refused:
                continue


def read_overload(program: Program, module: Module, node: ast.Overload) -> None:
    """Enter one overload. Raises Refused after a report."""
    ctx = program.context(program.report)
    span = module.span(node)
    target = program.prelude.find(node.name)
    if not isinstance(target, MorphismDef):
        names = program.prelude.names()
        raise ctx.refuse(wrong.UnknownName(span, node.name, "operation of the prelude", near(node.name, names)))
    inputs = tuple(kind_of(program, module, leg) for leg in legs(node.domain))
    outputs = None if node.codomain is None else tuple(kind_of(program, module, leg) for leg in legs(node.codomain))
    own = {found.name for found in module.defs.values() if isinstance(found, KindDef)}
    if not own & {*inputs, *(outputs or ())}:
        words = "an overload speaks of a kind that this file declares; those of the prelude's kinds are the prelude's"
        raise ctx.refuse(wrong.BadValue(span, words))
    literal = ctx.statics.value(node.args[0].value, Env(module)) if node.args else None
    meant = None if node.target is None else morphism(ctx, module, node.target)
    if target.open != (node.target is not None):
        how = f"overload {node.name} : … = f" if target.open else f"overload {node.name} : … -> …"
        why = "is one of several morphisms" if target.open else "is one morphism for all kinds"
        raise ctx.refuse(wrong.BadValue(span, f"`{node.name}` {why}: write `{how}`"))
    if any(o.inputs == inputs and o.literal == literal for o in target.overloads):
        raise ctx.refuse(wrong.BadValue(span, f"`{node.name}` has an overload for these kinds already"))
    target.overloads = (*target.overloads, Overload(literal, inputs, outputs, node.message, meant))


def morphism(ctx: Context, module: Module, node: ast.Name) -> MorphismDef:
    """The morphism that an overload names. Raises Refused after a report."""
    found = module.find(node.id)
    if isinstance(found, MorphismDef):
        module.used.add(node.id)
        return found
    if isinstance(found, BadDef):
        raise Refused
    known = [name for name, entry in module.defs.items() if isinstance(entry, MorphismDef)]
    raise ctx.refuse(wrong.UnknownName(module.span(node), node.id, "morphism", near(node.id, known)))


def legs(node: ast.Expr) -> tuple[ast.Expr, ...]:
    """The legs of one side."""
    return node.legs if isinstance(node, ast.Tensor) else (node,)


def kind_of(program: Program, module: Module, node: ast.Expr) -> str:
    """The qualified name of a kind in an overload. Raises Refused after a report."""
    word = kind_word(node)
    found = None if word is None else module.find(word)
    if word is not None and isinstance(found, KindDef):
        module.used.add(word)
        return found.name
    if word == "Fin":
        return "Fin"
    if isinstance(found, BadDef):
        raise Refused
    shown = module.span(node).text
    names = [n for n, d in module.defs.items() if isinstance(d, KindDef)] + program.prelude.names()
    program.report(wrong.UnknownName(module.span(node), shown, "kind", near(shown, names)))
    raise Refused
