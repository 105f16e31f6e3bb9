"""Static arguments and declarations: one too many, one of the wrong sort, a word, an equation, an arrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catdl.check.scope import KindDef, MorphismDef, ObjectDef
from catdl.diagnostics import elsewhere
from catdl.diagnostics.base import Edit, Help
from catdl.diagnostics.suggest import near
from catdl.repair.case import Case, Group, one
from catdl.repair.tree import bare, walk
from catdl.repair.wires import ports_of
from catdl.syntax import ast


def too_many(case: Case) -> Iterator[Group]:
    """E0203: left out."""
    call = case.around(ast.Call)
    if call is None:
        return
    if len(call.args) == 1:
        yield one("leave it out", case.put(call.function.end, call.end, ""))
        return
    place = next((i for i, a in enumerate(call.args) if a.start <= case.span.start < a.end), None)
    if place is not None:
        start = call.args[place - 1].end if place else call.args[0].start
        end = call.args[place].end if place else call.args[1].start
        yield one("leave it out", case.put(start, end, ""))


def unknown(case: Case) -> Iterator[Group]:
    """E0201: a near name; only the name is replaced."""
    wrong = case.mistake
    start = case.span.start
    call = case.around(ast.Call)
    ports = ports_of(case, call.function) if call is not None else []
    if wrong.name in ports and all(arg.name in ports for arg in call.args):
        record = f"({', '.join(case.text(arg) for arg in call.args)}) >> {case.text(call.function)}"
        whole = isinstance(case.parent(call), ast.Lambda | ast.Bind | ast.Block)
        yield one("ports are filled by a record", case.swap(call, record if whole else f"({record})"))
    if case.span.text.startswith(wrong.name):
        for name in elsewhere.arguments(wrong.name, wrong.available):
            said = f"`{wrong.name}` is called `{name}` here"
            yield one(said, case.put(start, start + len(wrong.name), name))
        for name in near(wrong.name, wrong.available):
            yield one(f"did you mean `{name}`?", case.put(start, start + len(wrong.name), name))


def missing(case: Case) -> Iterator[Group]:
    """E0202: a value that goes there: one of the sort declared, or a size that the context has."""
    call = next((n for n in reversed(case.way) if isinstance(n, ast.Call | ast.Name) and starts(case, n)), None)
    if call is None:
        return
    args = call.args if isinstance(call, ast.Call) else ()
    name = case.mistake.name
    others = [
        (p.name, p.sort)
        for p in declared(case, case.mistake.function)
        if p.name is not None and p.default is None and not any(a.name == p.name for a in args)
    ]
    sort = next((s for n, s in others if n == name), None)
    for value in values(case, sort):
        yield one(f"give it, as in `{name} = {value}`", put_in(case, call, f"{name} = {value}"))
    firsts = [(n, next(values(case, s), None)) for n, s in others]
    if len(others) > 1 and all(value is not None for _, value in firsts):
        given = ", ".join(f"{n} = {value}" for n, value in firsts)
        yield one(f"give what has no default, as in `{given}`", put_in(case, call, given))


def put_in(case: Case, call: ast.Call | ast.Name, given: str) -> Edit:
    """The edit that gives a morphism one more argument."""
    if isinstance(call, ast.Name):
        return case.put(call.end, call.end, f"({given})")
    return case.put(call.end - 1, call.end - 1, f", {given}" if call.args else given)


def starts(case: Case, node: Any) -> bool:
    """Whether a node is the call that lacks an argument, or the name that stands for one without arguments."""
    wanted = case.mistake.function
    if isinstance(node, ast.Name):
        return node.id == wanted and (node.start, node.end) == (case.span.start, case.span.end)
    function = bare(node)
    function = function.base if isinstance(function, ast.Index) else function
    return node.start == case.span.start and isinstance(function, ast.Name) and function.id == wanted


def declared(case: Case, name: str) -> tuple[ast.StaticParam, ...]:
    """The arguments that a morphism declares."""
    found = case.module.find(name)
    return (found.head.params or ()) if isinstance(found, MorphismDef) else ()


def values(case: Case, sort: Any) -> Iterator[str]:
    """What an argument may be: small numbers, the sizes around, the identity for a morphism; no length of an axis."""
    if isinstance(sort, ast.Name) and sort.id in ("axis", "size"):
        return
    if isinstance(sort, ast.Arrow):
        yield "id"
        return
    words = [item.value for item in sort.items if isinstance(item, ast.Text)] if isinstance(sort, ast.List) else []
    if words:
        yield from (f'"{word}"' for word in words)
        return
    around = [n.value.id for n in walk(case.decl) if isinstance(n, ast.Arg) and isinstance(n.value, ast.Name)]
    numbers = ["1", "2", "3"]
    yield from dict.fromkeys([*around, *numbers] if sort is None else [*numbers, *around])


def bad(case: Case) -> Iterator[Group]:
    """E0204: a flag is `true` or `false`."""
    node = case.around(ast.Arg)
    if node is not None and "true or false" in case.mistake.expected:
        yield tuple(Help(f"write `{word}`", (case.swap(node.value, word),)) for word in ("true", "false"))


def unused(case: Case) -> Iterator[Group]:
    """E0209: the argument goes, at its declaration and at every use."""
    decl = case.decl
    if not isinstance(decl, ast.Morphism) or not decl.params:
        return
    place = next((i for i, p in enumerate(decl.params) if p.name == case.mistake.name), None)
    if place is None:
        return
    edits = [without(case, decl.params, place)]
    for other in case.module.tree.decls:
        for node in walk(other):
            if isinstance(node, ast.Call) and isinstance(node.function, ast.Name) and node.function.id == decl.name:
                named = next((i for i, a in enumerate(node.args) if a.name == case.mistake.name), None)
                at = place if named is None else named
                if at < len(node.args) and (named is not None or not node.args[at].sep):
                    edits.append(without(case, node.args, at))
    yield one("remove it, and what is given for it", *edits)


def without(case: Case, items: tuple[Any, ...], place: int) -> Any:
    """The edit that takes an item out of a list with commas; of a list of one, the brackets go too."""
    if len(items) == 1:
        return case.put(items[0].start - 1, items[0].end + 1, "")
    if place:
        return case.put(items[place - 1].end, items[place].end, "")
    return case.put(items[0].start, items[1].start, "")


def tied_or_fresh(case: Case) -> Iterator[Group]:
    """E0208: `repeat` is fresh and `iterate` tied: the other word of either."""
    call = case.around(ast.Call)
    tie = next((n for n in walk(call) if isinstance(n, ast.Tie)), None) if call is not None else None
    if tie is None or not isinstance(call.function, ast.Name) or call.function.id not in ("repeat", "iterate"):
        return
    word = "fresh" if tie.word == "tied" else "tied"
    other = "iterate" if call.function.id == "repeat" else "repeat"
    meaning = {"fresh": "new weights for each round", "tied": "one set of weights for all rounds"}
    yield (
        Help(meaning[tie.word], (case.swap(call.function, other),)),
        Help(meaning[word], (case.put(tie.start, tie.start + len(tie.word), word),)),
    )


def tie(case: Case) -> Iterator[Group]:
    """E0504: a composition that is an argument is tied or fresh as a whole, in parentheses."""
    binder = case.mistake.binder
    if binder is not None and binder.source is case.module.source:
        meanings = {"tied": "one set of weights for all uses", "fresh": "new weights for each use"}
        close = case.put(binder.end, binder.end, ")")
        yield tuple(
            Help(f"`{word}`: {meaning}", (case.put(binder.start, binder.start, f"{word} ("), close))
            for word, meaning in meanings.items()
        )


def target(case: Case) -> Iterator[Group]:
    """E0208: the class of an extern stands after a colon."""
    for node in walk(case.node) if case.node is not None else ():
        if isinstance(node, ast.Text) and "." in node.value and ":" not in node.value:
            package, _, name = node.value.rpartition(".")
            yield one("a colon stands before the class", case.swap(node, f'"{package}:{name}"'))


def sort(case: Case) -> Iterator[Group]:
    """E0103: a type in small letters or large ones; a dim where a type is needed is an axis of one."""
    word = case.mistake.name
    for name in (*case.module.defs, *case.program.prelude.names()):
        alike = name != word and name.lower() == word.lower()
        if alike and isinstance(case.module.find(name), KindDef | ObjectDef):
            yield one(f"did you mean `{name}`?", case.put(case.span.start, case.span.start + len(word), name))
    if case.mistake.found.endswith("dim") and "type" in case.mistake.expected:
        yield one("a tensor with this axis", case.swap(case.node, f"Real[{case.mistake.name}]"))


def one_parameter(case: Case) -> Iterator[Group]:
    """E0208: the parameter that a plug is meant for, by name."""
    found = case.around(ast.Plug)
    if found is None or "not one parameter" not in case.mistake.message:
        return
    names = case.mistake.message.partition(" but ")[2].partition(";")[0].replace("`", "").split(" and ")
    item = case.node
    for name in names:
        yield one(f"plug it into `{name}`", case.put(item.start, item.start, f"{name} = "))


def second_plug(case: Case) -> Iterator[Group]:
    """E0208: what is plugged a second time is left out."""
    found = case.around(ast.Plug)
    if found is None or "plugged already" not in case.mistake.message:
        return
    place = next((i for i, item in enumerate(found.items) if item.start <= case.span.start < item.end), None)
    if place is not None:
        yield one("leave it out", without(case, found.items, place))


def parameter(case: Case) -> Iterator[Group]:
    """E0601: a near parameter."""
    wrong = case.mistake
    if case.span.text.startswith(wrong.path):
        names = (*near(wrong.path, wrong.available), *(wrong.available if len(wrong.available) == 1 else ()))
        for name in dict.fromkeys(names):
            start = case.span.start
            yield one(f"did you mean `{name}`?", case.put(start, start + len(wrong.path), name))


def twin(case: Case) -> Iterator[Group]:
    """E0311: the second of two axes of one name is its twin."""
    node, label = case.node, case.mistake.label
    if isinstance(node, ast.Index):
        same = [i for i in node.items if case.text(i) == label]
        said = f"`{label}'` is its twin: the same size, another axis"
        for item in (*same[1:], *same[:1]):
            yield one(said, case.swap(item, f"{label}'"))


def random(case: Case) -> Iterator[Group]:
    """E0701: every morphism that draws through this one is declared so too."""
    arrow = case.mistake.arrow
    if arrow is None:
        return
    edits = [case.put(arrow.start, arrow.end, "~>")]
    drawing = {case.mistake.name}
    grown = True
    own = [d for d in case.module.tree.decls if isinstance(d, ast.Morphism) and d.body is not None]
    while grown:
        grown = False
        for decl in own:
            if decl.name in drawing:
                continue
            if any(isinstance(n, ast.Name) and n.id in drawing for n in walk(decl.body)):
                drawing.add(decl.name)
                grown = True
                if isinstance(decl.signature, ast.Arrow) and not decl.signature.random:
                    at = case.module.source.text.find("->", decl.signature.domain.end, decl.signature.codomain.start)
                    if at >= 0:
                        edits.append(case.put(at, at + 2, "~>"))
    yield one("declare it with `~>`", edits[0])
    yield one("declare it with `~>`, and what uses it", *edits)
