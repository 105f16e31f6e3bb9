"""Sizes: a number that would fit, the size argument of a layer before, a fact that the signature states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import lcm
from typing import Any

from catdl.check.names import mentioned
from catdl.check.scope import DimDef, MorphismDef
from catdl.diagnostics.base import Help
from catdl.repair import declared
from catdl.repair.case import Case, Group, one
from catdl.repair.shown import is_name, read
from catdl.repair.tree import bare, walk
from catdl.syntax import ast

_FLOOR = re.compile(r"\b([A-Za-z_]\w*)\b(?: [+-] \d+)?\)? // (\d+)")
_MOST = 6


def mismatch(case: Case) -> Iterator[Group]:
    """E0301: facts where a floor stands, then another argument, then another number in the signature."""
    expected, found = read(case.mistake.expected), read(case.mistake.found)
    yield from facts(case, " ".join(f"{m.expected} {m.found}" for m in case.together))
    if len(expected.axes) != len(found.axes):
        return
    for want, have in zip(expected.axes, found.axes, strict=True):
        if want != have:
            yield from arguments(case, want.label or want.size, have.label or have.size)
            if want.size != have.size and want.label == have.label:
                yield from arguments(case, want.size, have.size)
            yield from signed(case, want.size, have.size)


def arguments(case: Case, want: str, have: str) -> Iterator[Group]:
    """An argument of a layer in this declaration that says what is found says what is expected."""
    body = getattr(case.decl, "body", None)
    if body is None or not (is_name(want) or want.isdigit()):
        return
    found = [
        n.value
        for n in walk(body)
        if isinstance(n, ast.Arg) and n.start < case.span.end and case.text(n.value) == have and n.sep != ":"
    ]
    for node in found[-1 : -_MOST - 1 : -1]:
        yield one("with the size that is expected", case.swap(node, want))


def signed(case: Case, want: str, have: str) -> Iterator[Group]:
    """The number in the signature that asks for it is the one that comes."""
    origin = getattr(case.mistake, "origin", None)
    if origin is None or origin.source is not case.module.source or not want.isdigit() or not have.isdigit():
        return
    for match in re.finditer(rf"\b{want}\b", origin.text):
        at = origin.start + match.start()
        yield one("if what comes is right, expect that", case.put(at, at + len(want), have))


def facts(case: Case, shown: str) -> Iterator[Group]:
    """What makes the floors exact, stated in the signature that fixes the dims."""
    needs: dict[str, int] = {}
    for name, by in _FLOOR.findall(shown):
        needs[name] = lcm(needs.get(name, 1), int(by))
    if needs:
        yield from stated(case, ", ".join(f"{by} | {name}" for name, by in sorted(needs.items())))


def stated(case: Case, fact: str) -> Iterator[Group]:
    """A `where` with these facts: in the signature around the mistake, or in one that uses the template it is in."""
    said = "if the dims always are so, say it in the signature"
    for definition in signatures(case):
        head = definition.head
        assert head.signature is not None
        if head.where is not None:
            yield one(said, case.put(head.where.end, head.where.end, f", {fact}"))
        else:
            yield one(said, case.put(head.signature.end, head.signature.end, f" where {fact}"))
    yield one("if the dims always are so, say it", *file_fact(case, fact))


def file_fact(case: Case, fact: str) -> tuple[Any, ...]:
    """A `where` of the file, after its last dim."""
    dims = [d for d in case.module.tree.decls if isinstance(d, ast.Dim)]
    if not dims or case.module.find(fact.rpartition(" ")[2]) is None:
        return ()
    source = case.module.source
    end = source.line_bounds(source.position(dims[-1].end)[0])[1]
    return (case.put(end, end, f"\nwhere {fact}"),)


def signatures(case: Case) -> list[MorphismDef]:
    """The morphism around the mistake, if it has a signature, else those of the file that have one."""
    own = [d for d in case.module.defs.values() if isinstance(d, MorphismDef) and d.module is case.module]
    signed = [d for d in own if isinstance(d.head.signature, ast.Arrow)]
    here = [d for d in signed if case.decl in d.equations]
    return here or signed[:_MOST]


def not_divisible(case: Case) -> Iterator[Group]:
    """E0207: the fact, for a free dim; a dim of another size; rounding down."""
    wrong, node = case.mistake, case.node
    name = wrong.numerator.partition(":")[0]
    found = case.module.find(name) if is_name(name) else None
    if wrong.denominator.isdigit() and isinstance(found, DimDef) and found.free:
        yield from stated(case, f"{wrong.denominator} | {name}")
    helps = declared.multiple(case, wrong.numerator, wrong.denominator)
    if isinstance(node, ast.Chain):
        text = case.module.source.text
        for left, right, operator in zip(node.operands, node.operands[1:], node.operators, strict=False):
            if operator == "/":
                at = text.index("/", left.end, right.start)
                helps.append(Help("if rounding down is meant, write `//`", (case.put(at, at + 1, "//"),)))
    yield tuple(helps)
    own = [h.message for h in wrong.parts().helps if h.message.endswith("would divide it")]
    written = [a for a in walk(node) if isinstance(a, ast.Arg) and case.text(a.value) == wrong.denominator]
    if own and len(written) == 1:
        numbers = re.findall(r"\d+", own[0])
        yield tuple(Help(f"`{n}` would divide it", (case.swap(written[0].value, n),)) for n in numbers)


def undecided(case: Case) -> Iterator[Group]:
    """E0305: floors made exact, or the equation itself."""
    wrong = case.mistake
    yield from facts(case, f"{wrong.left} {wrong.right}")
    yield from stated(case, wrong.fact or f"{wrong.left} == {wrong.right}")


def size(case: Case) -> Iterator[Group]:
    """E0302: the axis that an index ranges over; an argument of the call that says the one size says the other."""
    wrong, node = case.mistake, case.node
    chosen = bare(node)
    if "the range of the index of" in case.mistake_context and isinstance(chosen, ast.Index):
        for name in of_size(case, wrong.found):
            said = f"act on `{name}`, over which the index ranges"
            yield from (one(said, case.swap(item, name)) for item in chosen.items)
    yield from facts(case, f"{wrong.expected} {wrong.found}")
    for part in walk(node) if node is not None else ():
        if isinstance(part, ast.Arg) and case.text(part.value) == wrong.expected and wrong.found.isdigit():
            yield one("with the size that is there", case.swap(part.value, wrong.found))
    yield from arguments(case, wrong.expected, wrong.found)


def of_size(case: Case, size: str) -> list[str]:
    """The dims of a size that this declaration speaks of."""
    found = {name: case.module.find(name) for name in sorted(mentioned([case.decl]))}
    return [n for n, dim in found.items() if isinstance(dim, DimDef) and size in (n, str(dim.axis.size))]


def undetermined(case: Case) -> Iterator[Group]:
    """E0306: a size for the layer: one of those that the signature names, for example."""
    node = case.node
    signature = getattr(case.decl, "signature", None)
    while isinstance(node, ast.Labelled):
        node = node.body
    if not isinstance(node, ast.Name | ast.Index) or not isinstance(signature, ast.Arrow):
        return
    for side in (signature.domain, signature.codomain):
        for item in reversed(side.items if isinstance(side, ast.Index) else ()):
            label = item.name or case.text(item)
            if is_name(label):
                yield one(f"say how many, `{label}` for one", case.put(node.end, node.end, f"({label})"))
