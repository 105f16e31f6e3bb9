"""Wires: what is not used, not there, one too many, in the place of a morphism, under another port."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count, pairwise
from typing import Any

from catdl.check import table as rules
from catdl.check.scope import MorphismDef
from catdl.diagnostics.base import Edit
from catdl.diagnostics.suggest import near
from catdl.repair.case import Case, Group, drop_step, one
from catdl.repair.tree import bare, walk
from catdl.syntax import ast


def unused(case: Case) -> Iterator[Group]:
    """E0501: discarded where it is bound."""
    name = case.mistake.name
    said = "if it is meant, discard it"
    block = case.around(ast.Block)
    statement = next((s for s in block.statements if s in case.way), None) if block is not None else None
    if statement is not None:
        if isinstance(statement, ast.Bind):
            yield one(said, line_after(case, statement, f"{name} >> discard"))
        else:
            yield one(said, *case.then(statement, "discard"))
        return
    around = case.around(ast.Lambda)
    if around is None:
        return
    body = around.body
    if isinstance(body, ast.Block):
        first = body.statements[0] if body.statements else body.result
        yield one(said, case.put(first.start, first.start, f"{name} >> discard\n{indent(case, first)}"))
    else:
        inner = indent(case, case.decl) + "    "
        text = f"{{\n{inner}{name} >> discard\n{inner}{case.text(body)}\n{inner[:-4]}}}"
        yield one(said, case.swap(body, text))


def unwritten(case: Case) -> Iterator[Group]:
    """E0703: a name that is bound anew in the same block is what the state was to be."""
    block, name = case.around(ast.Block), case.mistake.name
    for statement in block.statements if block is not None else ():
        if isinstance(statement, ast.Bind) and isinstance(statement.pattern, ast.Name) and statement.pattern.id == name:
            at = case.module.source.text.index("=", statement.pattern.end)
            yield one("a state is written with an arrow; this names another wire", case.put(at, at + 1, "<-"))


def pattern(case: Case) -> Iterator[Group]:
    """E0505: a pattern of as many names as there are wires: `_` for what is not needed, or without what is not used."""
    node, wrong = case.node, case.mistake
    binds = getattr(case.parent(node), "pattern", None) is node
    if not isinstance(node, ast.Tuple) or not binds or any(item.name for item in node.items):
        return
    if len(node.items) < wrong.found:
        more = ", _" * (wrong.found - len(node.items))
        yield one(
            "name every wire; `_` is one that is not needed", case.put(node.items[-1].end, node.items[-1].end, more)
        )
        return
    last = node.items[wrong.found - 1].end if wrong.found else 0
    if 0 < wrong.found < len(node.items):
        yield one("name as many as there are", case.put(last, node.items[-1].end, ""))


def line_after(case: Case, statement: Any, text: str) -> Any:
    """A line of its own after a statement."""
    source = case.module.source
    end = source.line_bounds(source.position(statement.end)[0])[1]
    if source.text[statement.end : end].partition("#")[0].strip():
        end = statement.end
    return case.put(end, end, f"\n{indent(case, statement)}{text}")


def indent(case: Case, node: Any) -> str:
    """The blanks at the start of the line on which a node starts."""
    source = case.module.source
    line = source.line_text(source.position(node.start)[0])
    return line[: len(line) - len(line.lstrip())]


def arity(case: Case) -> Iterator[Group]:
    """E0505: a leg, an argument or a name too many; a port that is missing."""
    node = case.node
    if isinstance(node, ast.Tensor):
        if case.mistake.found == 1:
            gaps = [case.put(left.end, right.start, " & ") for left, right in pairwise(node.legs)]
            yield one("`&` gives each leg the same input", *gaps)
        for leg, other in zip(node.legs[1:], node.legs, strict=False):
            yield one(f"leave `{case.text(leg)}` out", case.put(other.end, leg.end, ""))
    ports = missing_ports(case, node)
    if ports:
        source, names, wires = ports
        said = f"give {' and '.join(f'`{n}`' for n in names)}"
        for wire in wires:
            text = "".join(f", {name} = {wire}" for name in names)
            yield one(said, case.put(source.items[-1].end, source.items[-1].end, text))
    if isinstance(node, ast.Name) and node.id in ("copy", "swap"):
        dropped = drop_step(case, node)
        yield one(f"leave `{node.id}` out", dropped if dropped is not None else case.swap(node, "id"))
    yield from counted_split(case, node)


def missing_ports(case: Case, node: Any) -> tuple[ast.Tuple, list[str], list[str]] | None:
    """The record that goes into a step, the ports it lacks, and the wires it has."""
    seq = case.parent(node)
    if not isinstance(seq, ast.Seq):
        return None
    place = next((i for i, step in enumerate(seq.steps) if step is node), 0)
    source = seq.steps[place - 1] if place else None
    if not isinstance(source, ast.Tuple) or not all(i.name for i in source.items):
        return None
    taken = {item.name for item in source.items}
    names = [name for name in ports_of(case, node) if name not in taken]
    count = case.mistake.expected - case.mistake.found
    wires = list(dict.fromkeys(case.text(item.value) for item in reversed(source.items)))
    return (source, names[:count], wires) if names and count > 0 else None


def ports_of(case: Case, node: Any) -> list[str]:
    """The names of the ports of a morphism's input."""
    node = bare(node)
    node = node.base if isinstance(node, ast.Index) else node
    found = case.module.find(node.id) if isinstance(node, ast.Name) else None
    signature = getattr(getattr(found, "head", None), "signature", None)
    if isinstance(signature, ast.Arrow) and isinstance(signature.domain, ast.Labelled):
        return [signature.domain.name]
    if isinstance(signature, ast.Arrow) and isinstance(signature.domain, ast.Tuple):
        return [item.name for item in signature.domain.items if item.name]
    return []


def counted_split(case: Case, node: Any) -> Iterator[Group]:
    """A pattern and the split it takes apart name the same number of wires."""
    bind = case.around(ast.Bind)
    if bind is None or not isinstance(bind.pattern, ast.Tuple):
        return
    count = len(bind.pattern.items)
    for part in walk(bind.value):
        if isinstance(part, ast.Call) and part.args and isinstance(part.args[0].value, ast.Number):
            name = case.text(part.function).partition("[")[0]
            if name == "split":
                yield one(f"split into {count}", case.swap(part.args[0].value, str(count)))


def port(case: Case) -> Iterator[Group]:
    """E0506: a near port, or the one that is still free."""
    wrong, node = case.mistake, case.node
    if isinstance(node, ast.Field):
        start, taken = node.end - len(wrong.port), set()
    else:
        source = case.around(ast.Tuple)
        item = next((i for i in getattr(source, "items", ()) if getattr(i, "name", None) == wrong.port), None)
        if item is None:
            return
        start, taken = item.start, {i.name for i in source.items}
    close = near(wrong.port, wrong.available)
    for name in (*close, *(n for n in wrong.available if n not in close and n not in taken)):
        said = f"did you mean `{name}`?" if name in close else f"the port that is free is `{name}`"
        yield one(said, case.put(start, start + len(wrong.port), name))


def gathered(case: Case) -> Iterator[Group]:
    """E0311: all pairs were gathered where one element is meant for each index."""
    node = bare(case.node)
    if isinstance(node, ast.Index) and isinstance(node.base, ast.Name) and node.base.id == "gather":
        yield one(
            "`gather` takes every index everywhere; `pick` takes each at its own place", case.swap(node.base, "pick")
        )


def not_a_wire(case: Case) -> Iterator[Group]:
    """E0503: applied to a wire in scope."""
    node = case.node
    if not isinstance(node, ast.Name | ast.Index | ast.Call | ast.Lambda):
        return
    for name in wires_here(case):
        text = case.text(node)
        if not isinstance(node, ast.Lambda):
            applied = f"{text}({name})"
        else:
            applied = f"{name} >> ({text})" if case.enclosed(node) else f"({name} >> ({text}))"
        yield one(f"apply it to `{name}`", case.swap(node, applied))


def pointwise(case: Case) -> Iterator[Group]:
    """E0502: arithmetic of morphisms, where each is applied to one wire and the values are added."""
    node = case.node
    if not isinstance(node, ast.Chain | ast.Negate | ast.Power):
        return
    taken = {n.id for n in walk(case.decl) if isinstance(n, ast.Name)}
    name = next(n for n in chain(("x", "y", "z"), (f"x{i}" for i in count(1))) if n not in taken)
    edits: list[Edit] = []
    stack: list[Any] = [node]
    while stack:
        match stack.pop():
            case ast.Chain(operands, _):
                stack += operands
            case ast.Negate(operand):
                stack.append(operand)
            case ast.Power(base, exponent):
                stack += (base, exponent)
            case ast.Seq() as steps:
                edits.append(case.put(steps.start, steps.start, f"{name} >> "))
            case ast.Name() | ast.Call() | ast.Index() as part if is_morphism(case, part):
                edits.append(case.put(part.end, part.end, f"({name})"))
            case _:
                pass
    loose = isinstance(case.parent(node), ast.Seq) and not case.enclosed(node)
    open_, close = ("(", ")") if loose else ("", "")
    edits.append(case.put(node.start, node.start, f"{open_}{name} => "))
    edits.append(case.put(node.end, node.end, close))
    yield one(
        "arithmetic is done with values: name the input, and apply each morphism to it",
        *(e for e in edits if e.replacement),
    )


def composed(case: Case) -> Iterator[Group]:
    """E0502: `f > g` or `f . g`, where `f >> g` is meant."""
    node = case.node
    if isinstance(node, ast.Field) and is_morphism(case, node.base):
        yield one("steps are composed by `>>`", case.put(node.base.end, node.end, f" >> {node.name}"))
    if isinstance(node, ast.Chain) and all(is_morphism(case, part) for part in node.operands):
        text = case.module.source.text
        gaps = [(left.end, right.start) for left, right in pairwise(node.operands)]
        if all(text[start:end].strip() == ">" for start, end in gaps):
            yield one("steps are composed by `>>`", *(case.put(start, end, " >> ") for start, end in gaps))


def is_morphism(case: Case, node: Any) -> bool:
    """Whether a step is a morphism by its name."""
    node = bare(node)
    node = node.base if isinstance(node, ast.Index) else node
    return isinstance(node, ast.Name) and (isinstance(case.module.find(node.id), MorphismDef) or node.id in rules.TABLE)


def wires_here(case: Case) -> list[str]:
    """The wires in scope, the nearest first."""
    out: list[str] = []
    for node in reversed(case.way):
        match node:
            case ast.Block(statements, _):
                bound = [s for s in statements if isinstance(s, ast.Bind) and s.end <= case.span.start]
                out += [name for s in reversed(bound) for name in pattern_names(s.pattern)]
            case ast.Lambda(pattern, _):
                out += pattern_names(pattern)
            case _:
                pass
    return list(dict.fromkeys(out))


def pattern_names(pattern: Any) -> list[str]:
    """The names that a pattern binds."""
    if isinstance(pattern, ast.Name):
        return [pattern.id]
    return [node.value.id for node in walk(pattern) if isinstance(node, ast.Arg) and isinstance(node.value, ast.Name)]


def unbound(case: Case) -> Iterator[Group]:
    """E0101: a wire that is bound further down is bound first."""
    block = case.around(ast.Block)
    name = getattr(case.mistake, "name", "")
    if block is None:
        return
    source = case.module.source
    here = next((s for s in block.statements if s in case.way), None)
    for later in block.statements:
        bound = isinstance(later, ast.Bind) and name in pattern_names(later.pattern)
        if here is not None and bound and later.start > here.end:
            start, end = source.line_bounds(source.position(later.start)[0])
            if source.text[start:end].partition("#")[0].strip() != case.text(later).strip():
                return
            text = f"{case.text(later)}\n{indent(case, here)}"
            yield one(
                f"`{name}` is bound further down: bind it first",
                case.put(here.start, here.start, text),
                case.put(start, min(end + 1, len(source.text)), ""),
            )
            return


def by_position(case: Case) -> Iterator[Group]:
    """E0208: a pattern whose names are those of the ports, in their order."""
    node, ports = case.node, case.mistake.message.partition("ports here are ")[2]
    if isinstance(node, ast.Tuple) and ports:
        yield one("name them in the order of the ports", case.swap(node, ports))


def static_if(case: Case) -> Iterator[Group]:
    """E0205: a choice that depends on a wire is made element by element."""
    node = case.around(ast.If)
    if node is not None and node.condition.start <= case.span.start < node.condition.end:
        parts = ", ".join(case.text(n) for n in (node.condition, node.then, node.orelse))
        yield one("choose element by element with `where`", case.swap(node, f"where({parts})"))
