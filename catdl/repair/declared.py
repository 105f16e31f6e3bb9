"""Sizes where they are declared: the number of a dim or of a signature, a dim's formula, an axis of a param.

A mistake stands where two sizes meet; the one to change is often written further up, and the derivation of the sizes
leads there.

    35 // 2 on the way from 70       72 can be halved as often
    param table : Real[V + 1, D]     for indices below V + 2: the axis is V + 2
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from catdl.check.names import mentioned
from catdl.check.scope import DimDef
from catdl.diagnostics.base import Edit, Help
from catdl.repair.case import Case, Group, one
from catdl.repair.shown import Part, is_name, read
from catdl.repair.tree import walk
from catdl.syntax import ast

_FLOORED = re.compile(r"^(\d+) // (\d+)$")
_MOST = 4  # dims that may stand in the place of a number


def mismatch(case: Case) -> Iterator[Group]:
    """E0301: the axis of a param, a dim's formula."""
    expected, found = read(case.mistake.expected), read(case.mistake.found)
    if len(expected.axes) == len(found.axes):
        pairs = [(w, h) for w, h in zip(expected.axes, found.axes, strict=True) if w.size != h.size]
        yield from of_param(case, expected.axes, found.axes)
        for want, have in pairs:
            yield from of_formula(case, want, have)


def dims(case: Case, size: str) -> list[ast.Dim]:
    """The dims of the file that are of a fixed size, those that the declaration speaks of first."""
    here = mentioned([case.decl])
    own = [d for d in case.module.tree.decls if isinstance(d, ast.Dim) and d.size is not None]
    found = [(d, case.module.find(d.name)) for d in own]
    fit = [d for d, dim in found if isinstance(dim, DimDef) and size in (d.name, str(dim.axis.size))]
    return sorted(fit, key=lambda d: d.name not in here)


def halved(case: Case) -> Iterator[Group]:
    """E0301, E0302: a number from which floors lost something on the way: the next one that is exact all the way."""
    made = case.mistake.parts().derivations
    floors = {size: match for size, formula, _, _ in made if (match := _FLOORED.match(formula))}
    starts = [match[1] for match in floors.values() if match[1] not in floors]
    for start in dict.fromkeys(starts):
        by, size = 1, start
        for _ in floors:
            size, step = next(((s, m) for s, m in floors.items() if m[1] == size), (size, None))
            by *= int(step[2]) if step is not None else 1
        fitting = str(-(-int(start) // by) * by)
        yield one(f"{by} divides `{fitting}`, and nothing is lost on the way", *numbers(case, start, fitting))


def numbers(case: Case, old: str, new: str) -> list[Edit]:
    """A number changed wherever it is said: in the signature of this declaration, and in dims."""
    edits = [case.swap(d.size, new) for d in dims(case, old) if isinstance(d.size, ast.Number)]
    signature = getattr(case.decl, "signature", None)
    if signature is not None:
        edits += [case.swap(n, new) for n in walk(signature) if isinstance(n, ast.Number) and n.text == old]
    return edits


LARGEST = 100_000


def multiple(case: Case, numerator: str, denominator: str) -> list[Help]:
    """E0207: a dim that the division takes, of the next size that can be divided; one of a size that divides it."""
    size = numerator.rpartition(":")[2].strip()
    if not (size.isdigit() and denominator.isdigit()) or int(denominator) == 0:
        return []
    by = int(denominator)
    if max(int(size), by) > LARGEST:
        return []  # no size of a model, and its divisors are long to look for
    fitting = str(-(-int(size) // by) * by)
    smaller = str(next((k for k in range(min(by, int(size)), 1, -1) if int(size) % k == 0), by))
    changes = [(d, fitting, f"{by} divides {fitting}") for d in dims(case, size)]
    changes += [(d, smaller, f"{smaller} divides {size}") for d in dims(case, denominator)]
    return [
        Help(f"`{d.name} = {new}`, for one: {said}", (case.swap(d.size, new),))
        for d, new, said in changes
        if isinstance(d.size, ast.Number)
    ]


def of_formula(case: Case, want: Part, have: Part) -> Iterator[Group]:
    """A number in the formula of a dim that stands for the size of another dim."""
    for label in dict.fromkeys((have.label, want.label)):
        for dim in (d for d in case.module.tree.decls if isinstance(d, ast.Dim) and d.name == label):
            if dim.size is not None:
                yield from followed(case, dim)


def followed(case: Case, dim: ast.Dim) -> Iterator[Group]:
    """The largest number of a dim's formula, wherever it stands there, as one of the dims that are in play."""
    said = [n for n in walk(dim.size) if isinstance(n, ast.Number) and n.text.isdigit()]
    largest = max((int(n.text) for n in said), default=0) if not isinstance(dim.size, ast.Number) else 0
    here = mentioned([case.decl])
    others = [d for d in case.module.tree.decls if isinstance(d, ast.Dim) and d.name in here and d.name != dim.name]
    for other in others[:_MOST] if largest > 1 else ():
        edits = [case.swap(n, other.name) for n in said if int(n.text) == largest]
        yield one(f"let `{dim.name}` follow `{other.name}`", *edits)


def of_param(case: Case, expected: tuple[Part, ...], found: tuple[Part, ...]) -> Iterator[Group]:
    """An axis of a declared parameter, as what takes it needs it."""
    told = {size: formula for size, formula, _, _ in case.mistake.parts().derivations if is_sum(case, formula)}
    used = {n.id for n in walk(case.node) if isinstance(n, ast.Name)} if case.node is not None else set()
    for decl in case.module.tree.decls:
        if not isinstance(decl, ast.Param) or decl.name not in used or not isinstance(decl.type, ast.Index):
            continue
        items = decl.type.items
        if len(items) != len(found):
            continue
        edits: list[list[Edit]] = [[], []]
        for item, want, have in zip(items, expected, found, strict=True):
            if want.size not in (have.size, "_"):
                size = told.get(want.size, want.size)
                label = item.name or case.text(item)
                here = [d.name for d in dims(case, want.size) if d.name in mentioned([case.decl])]
                plain = f"{label}: {size}" if is_name(label) else size
                edits[0].append(case.swap(item, here[0] if len(here) == 1 else plain))
                edits[1].append(case.swap(item, plain))
        for each in edits:
            yield one(f"declare `{decl.name}` with that size", *each)


def is_sum(case: Case, formula: str) -> bool:
    """Whether a formula is arithmetic with dims of the file."""
    words = re.findall(r"[A-Za-z_]\w*", formula)
    return bool(words) and all(isinstance(case.module.find(word), DimDef) for word in words)
