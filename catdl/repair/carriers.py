"""The state of a fold that starts with zeros: an object of the file, or what the signature has at one step."""

from __future__ import annotations

from collections.abc import Iterator

from catdl.repair.case import Case, Group, one
from catdl.syntax import ast

_MOST = 6  # objects of the file


def untold(case: Case) -> Iterator[Group]:
    """E0511: the type of the zeros, said beside the legs."""
    call = case.around(ast.Call)
    signature = getattr(case.decl, "signature", None)
    if call is None:
        return
    along = [case.text(item) for item in call.function.items] if isinstance(call.function, ast.Index) else []
    found = [decl.name for decl in case.module.tree.decls if isinstance(decl, ast.Object)][:_MOST]
    if isinstance(signature, ast.Arrow):
        found += [case.text(part) for part in (signature.codomain, signature.domain)]
        found += [state for part in (signature.codomain, signature.domain) if (state := at_a_step(case, part, along))]
    for state in dict.fromkeys(found):
        said = f"say it, as in `carrier = {state}`"
        yield one(said, case.put(call.args[-1].end, call.args[-1].end, f", carrier = {state}"))


def at_a_step(case: Case, node: ast.Expr, along: list[str]) -> str:
    """The type of one element of a sequence: a tensor without the axis that a fold goes along; empty for no tensor."""
    if not isinstance(node, ast.Index):
        return ""
    rest = [case.text(item) for item in node.items if (item.name or case.text(item)) not in along]
    kind = case.text(node.base)
    return f"{kind}[{', '.join(rest)}]" if rest else kind
