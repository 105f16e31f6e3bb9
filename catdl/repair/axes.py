"""Axes that stand elsewhere: the axis to move, the one to repeat, to rename, to drop, to merge, to map over.

Takes the two types of a mismatch; every way from the one to the other that reads as what an author would write is a
candidate, the least first.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from catdl.diagnostics.words import listed
from catdl.repair.case import Case, Group, drop_step, one
from catdl.repair.reads import operands, two
from catdl.repair.shown import Shown, is_name, read
from catdl.repair.tree import bare
from catdl.syntax import ast


def mismatch(case: Case) -> Iterator[Group]:
    """E0301: ways from what is found to what is expected, at each place where it can be put."""
    expected, found = read(case.mistake.expected), read(case.mistake.found)
    yield from swapped(case)
    if expected.kind != found.kind:
        yield from unwrapped(case)
    yield from acted(case, expected, found)
    yield from twinned(case, expected, found)
    binders = getattr(case.decl, "binders", ())
    if any(b.row and b.name in (*expected.labels, *found.labels) for b in binders):
        return  # a row stands for any number of axes, and has no place of its own
    for step, said in ways(expected, found):
        yield from placed(case, step, said)
    yield from mapped(case, expected, found)


def transposed(case: Case) -> Iterator[Group]:
    """E0301 of a parameter, E0610: the weight of a layer that goes the other way."""
    plugged = case.mistake.code == "E0610" or case.mistake_context.startswith("the parameter ")
    if not plugged or len(read(case.mistake.found).axes) != 2:
        return
    for item in case.node.items if isinstance(case.node, ast.Plug) else (case.node,):
        value = item.value if isinstance(item, ast.Arg) else item
        yield one(
            "if it is the weight of a layer that goes the other way, transpose it", *case.then(value, "transposed")
        )


def ways(expected: Shown, found: Shown) -> Iterator[tuple[str, str]]:
    """The steps that make one type of the other, and what to say of each."""
    want, have = expected.labels, found.labels
    if not want and not have:
        return
    if expected.named and found.named and want != have:
        if sorted(want) == sorted(have):
            yield f"permute[{', '.join(want)}]", "the axes stand in another order: move them"
        if len(want) == len(have):
            pairs = [(h, w) for h, w in zip(have, want, strict=True) if h != w]
            if not {w for _, w in pairs} & set(have):
                names = " and ".join(f"`{h}`" for h, _ in pairs)
                step = " >> ".join(f"rename[{h} -> {w}]" for h, w in pairs)
                yield step, f"if {names} is that axis, rename it"
        missing = [w for w in want if w not in have]
        if missing and [w for w in want if w in have] == list(have):
            step = f"expand[{', '.join(missing)}]"
            if [*missing, *have] != list(want):
                step += f" >> permute[{', '.join(want)}]"
            yield step, "if the same value is meant all along it, repeat it"
    sizes = [a.size for a in expected.axes]
    if found.named and len(set(sizes)) == len(sizes) > 1 and sizes != [a.size for a in found.axes]:
        by_size = {a.size: a.label for a in found.axes}
        if sorted(by_size) == sorted(sizes):
            yield f"permute[{', '.join(by_size[s] for s in sizes)}]", "the axes stand in another order: move them"
    extra = [a for a in found.axes if a.size == "1" and is_name(a.label) and a.label not in want]
    if extra and [a for a in found.axes if a not in extra] == list(expected.axes):
        yield f"squeeze[{', '.join(a.label for a in extra)}]", "drop the axis of size 1"
    yield from merged(expected, found)


def merged(expected: Shown, found: Shown) -> Iterator[tuple[str, str]]:
    """Neighbours to be merged into one axis, or a word whose letters stand in another order."""
    spare = len(found.axes) - len(expected.axes)
    if spare > 0 and found.named:
        for place, axis in enumerate(expected.axes):
            run = found.labels[place : place + spare + 1]
            whole = axis.label in ("", f"({' '.join(run)})")
            if whole and found.labels[:place] == expected.labels[:place]:
                yield f"flatten[{', '.join(run)}]", "merge the axes"
    for want in expected.axes:
        for have in found.axes:
            if want.label.startswith("(") and have.label.startswith("(") and want.label != have.label:
                letters = have.label[1:-1].split()
                if sorted(letters) == sorted(want.label[1:-1].split()):
                    yield reword(found, want.label, have.label), "merge the axes in the other order"


def reword(found: Shown, want: str, have: str) -> str:
    """A pattern that takes a merged axis apart and merges it in another order. Sizes are known to the axis."""
    left = " ".join(found.labels).lower()
    right = " ".join(want if label == have else label for label in found.labels).lower()
    return f'rearrange("{left} -> {right}")'


def placed(case: Case, step: str, said: str) -> Iterator[Group]:
    """A step put after what yields the type, or before what takes it."""
    node = case.node
    if node is None:
        return
    context = case.mistake_context
    if isinstance(node, ast.Plug):
        for item in node.items:
            yield one(said, *case.then(item.value, step))
        return
    if "the result of" in context or "gives back" in context:
        yield one(said, *case.then(node, step))
        return
    reads = operands(case, node)
    for operand in reads:
        if isinstance(operand, ast.Name | ast.Call | ast.Index):
            yield one(said, case.swap(operand, f"{case.text(operand)} >> {step}"))
        else:
            yield one(said, *case.then(operand, step))
    if not reads:
        yield one(said, *case.first(node, step))
        yield one(said, *case.then(node, step))


def mapped(case: Case, expected: Shown, found: Shown) -> Iterator[Group]:
    """What is declared on a part is applied along the axes before it."""
    extra = found.axes[: len(found.axes) - len(expected.axes)]
    node = case.node
    if not extra or found.axes[len(extra) :] != expected.axes or not all(is_name(a.label) for a in extra):
        return
    if isinstance(node, ast.Name | ast.Call | ast.Index | ast.Seq) and "the input of" in case.mistake_context:
        names = ", ".join(a.label for a in extra)
        said = f"apply it to each place along `{names}`"
        for word in ("", "tied "):
            yield one(said, case.swap(node, f"map[{names}]({word}{case.text(node)})"))


def unwrapped(case: Case) -> Iterator[Group]:
    """What a wire was made into is no longer what is needed."""
    for operand in operands(case, case.node) if case.node is not None else ():
        if isinstance(operand, ast.Call) and len(operand.args) == 1 and not operand.args[0].sep:
            said = f"leave `{case.text(operand.function)}` out"
            yield one(said, case.swap(operand, case.text(operand.args[0].value)))


def acted(case: Case, expected: Shown, found: Shown) -> Iterator[Group]:
    """The operation acts on the one of two axes that should have stayed."""
    gone = [label for label in found.labels if label not in expected.labels]
    kept = [label for label in expected.labels if label not in found.labels]
    node = bare(case.node)
    if len(gone) == len(kept) == 1 and isinstance(node, ast.Index):
        for item in node.items:
            if case.text(item) == kept[0]:
                yield one(f"act on `{gone[0]}`, and `{kept[0]}` stays", case.swap(item, gone[0]))


def twinned(case: Case, expected: Shown, found: Shown) -> Iterator[Group]:
    """An axis that meets itself: one side takes its twin."""
    for label in expected.labels:
        base = label.rstrip("'")
        if label != base and label not in found.labels and case.node is not None:
            said = f"give one side the twin `{label}`: the same size, another axis"
            for operand in reversed(operands(case, case.node)):
                yield one(said, *case.then(operand, f"rename[{base} -> {label}]"))
    for label in found.labels:
        base = label.rstrip("'")
        if label != base and label not in expected.labels and base in expected.labels and case.node is not None:
            yield from met(case, base, label)


def met(case: Case, base: str, label: str) -> Iterator[Group]:
    """One input stands along a twin, others along the axis itself: these are renamed, the last first."""
    inputs = [o for o in operands(case, case.node) if isinstance(o, ast.Name)]
    edits = [case.swap(o, f"{o.id} >> rename[{base} -> {label}]") for o in inputs]
    for few in (1, 2):
        for chosen in combinations(reversed(range(len(edits))), few):
            names = listed(list(dict.fromkeys(inputs[at].id for at in reversed(chosen))))
            said = f"`{label}` is another axis than `{base}`: let {names} stand along it"
            yield one(said, *(edits[at] for at in reversed(chosen)))


def swapped(case: Case) -> Iterator[Group]:
    """The two sides meet after a swap."""
    node = case.node
    if node is None:
        return
    if isinstance(node, ast.Name) and node.id == "swap":
        dropped = drop_step(case, node)
        edit = dropped if dropped is not None else case.swap(node, "id")
        yield one("without the swap the two sides meet", edit)
    yield from exchanged(case, node)
    legs = two(case)
    if legs:
        left, right = legs
        said = "the two sides meet after a swap"
        edits = (case.swap(left, case.text(right)), case.swap(right, case.text(left)))
        yield one(said, *edits)
    elif crossed(case):
        yield one("the two sides meet after a swap", *case.then(node, "swap"))
        yield one("the two sides meet after a swap", *case.first(node, "swap"))


def exchanged(case: Case, node: ast.Expr) -> Iterator[Group]:
    """Without the `swap` before it the place gets what it takes, or a leg does where another one stands."""
    tensor = case.around(ast.Tensor)
    for part in (node, tensor):
        seq = case.parent(part) if part is not None else None
        steps = seq.steps if isinstance(seq, ast.Seq) else ()
        before = next((step for step, after in pairwise(steps) if after is part), None)
        dropped = drop_step(case, before) if isinstance(before, ast.Name) and before.id == "swap" else None
        if dropped is not None:
            yield one("without the swap the two sides meet", dropped)
    if tensor is not None:
        mine = next((leg for leg in tensor.legs if leg in case.way), None)
        for other in tensor.legs if mine is not None else ():
            if other is not mine:
                edits = (case.swap(mine, case.text(other)), case.swap(other, case.text(mine)))
                yield one("the legs stand in another order than what comes in", *edits)


def turned(case: Case) -> Iterator[Group]:
    """E0303: a leg acts on an axis that what comes to another leg has."""
    if case.node is not None:
        yield from exchanged(case, case.node)


def crossed(case: Case) -> bool:
    """Whether two wires stand at the place: the declared type on that side is a product of two."""
    signature = getattr(case.decl, "signature", None)
    if not isinstance(signature, ast.Arrow):
        return False
    side = signature.codomain if "the result of" in case.mistake_context else signature.domain
    return isinstance(side, ast.Tensor) and len(side.legs) == 2
