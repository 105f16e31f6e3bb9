"""A missing coercion: the shortest way from the kind that is there to the one needed.

A way is made of conversions, which say the same in another form, and there is a list of them: the overloads of the
prelude from one kind to another, a root read as another, and the morphisms of the file. A function of plain numbers
that yields a kind, a link, is a layer and not a conversion: it is offered for a plain number that no such function has
made, and never for what has a meaning already, for a softmax of probabilities composes and is wrong. Networkx is
loaded here, when a kind is wrong.

    Var where Std is needed: `sqrt`     Drop where Keep is needed: `not`     Real where Probs is needed: `softmax`
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import Any

from catdl.check.kinds import ROOTS
from catdl.check.names import kind_word
from catdl.check.scope import KindDef, MorphismDef
from catdl.record import record
from catdl.repair.case import Case, Group, drop_step, one
from catdl.repair.reads import operands, two
from catdl.repair.tree import bare, children, walk
from catdl.syntax import ast
from catdl.types.types import plain as unqualified

_ARROW = re.compile(
    r"^(?:native |core )?(?P<word>morphism|overload)\s+(?P<name>\w+)(\((?P<literal>[\d/]+)\))?(?:\[[^\]]*\])?"
    r"(?:\([^)]*\))?\s*:\s*"
    r"(?P<from>\w+)(?:\([^)]*\))?(?:\[[^\]]*\])?\s*->\s*(?P<to>\w+)(?:\([^)]*\))?(?:\[[^\]]*\])?\s*(?:=|$)",
    re.MULTILINE,
)
_MOST = 4
# What a step costs: one that is declared for the very kind, one of the file's own a little less; to forget what a
# number means, or to give it a meaning without a word, costs more, so that `square` makes the Var of a Std, not `exp`.
_STEP, _OWN, _FORGET, _READ, _DEAREST = 10, 9, 15, 12, 40
_INPUT = re.compile(r"(?:in )?input (\d+) of")  # the place of a mistake at one of several inputs
_ARITHMETIC = (ast.Chain, ast.Power, ast.Negate)
# What changes nothing but the name of a number, or loses what it was, is no way from one meaning to another.
_NO_WAY = {"stop_gradient", "id", "abs", "floor", "ceil", "round", "sign", "neg", "bool", "isnan", "isfinite"}


@record
class Step:
    """A morphism of one input and one output from one kind to another, as it is written, and what it costs."""

    start: str
    end: str
    name: str
    cost: int
    link: bool = False  # makes of a plain number something with a meaning


def steps(case: Case) -> list[Step]:
    """Every morphism that may be a step of a way, of the file and of the prelude; looked up once for a file."""
    found: list[Step] | None = case.known.get("steps")
    if found is None:
        found = case.known["steps"] = list(all_steps(case))
    own = getattr(case.decl, "name", None)
    return [step for step in found if step.name != own]


def all_steps(case: Case) -> Iterator[Step]:
    """The morphisms of the file, then those of the prelude."""
    source = case.module.source
    spans = (d.span for d in case.program.diagnostics if d.severity == "error")
    wrong = sorted(span.start for span in spans if span is not None and span.source is source)
    for name, found in case.module.defs.items():
        if isinstance(found, MorphismDef) and not found.head.params:
            head = found.head
            if found.module is case.module and bisect_left(wrong, head.start) < bisect_left(wrong, head.end):
                continue  # what is itself refused converts nothing
            signature = head.signature
            if isinstance(signature, ast.Arrow) and not signature.random:
                start, end = kind_word(signature.domain), kind_word(signature.codomain)
                # From a plain number anything may be made: that is a network, not another reading of the number.
                if start and end and start != end and (start not in ROOTS or end in case.module.defs):
                    yield Step(start, end, name, _OWN)
    prelude = case.program.prelude.prelude
    for name, place in prelude.entries.items():
        for slice_ in (place, *prelude.overloads.get(name, ())):
            match = _ARROW.search(place.source.text, slice_.start, slice_.end)
            if match and match["name"] == name and match["from"] != match["to"] and name not in _NO_WAY:
                literal = match["literal"]
                if literal is None:
                    link = match["word"] == "morphism" and match["to"] not in ROOTS
                    yield Step(match["from"], match["to"], name, _STEP, link)
                elif name == "scale":
                    yield Step(match["from"], match["to"], f"{factor(literal)} * ", _STEP)


def factor(literal: str) -> str:
    """A literal of an overload as it is written in a body."""
    above, _, below = literal.partition("/")
    return literal if not below else f"{int(above) / int(below):g}"


def ways(case: Case, found: str, wanted: str) -> list[tuple[str, ...]]:
    """The shortest ways of conversions from one kind to another; at the end the result may be read without a word."""
    import networkx as nx

    graph: Any = nx.DiGraph()
    bases = case.program.kinds
    for step in steps(case):
        if not step.link:
            join(graph, (step.start, False), (step.end, False), step.cost, step.name)
            if step.start in ROOTS and step.end in ROOTS and bases.root(qualified(case, found)) == step.start:
                join(graph, (found, False), (step.end, False), step.cost + _FORGET, step.name)
    for kind_name in sorted({kind for kind, _ in graph.nodes} | {found, wanted}):
        kind = case.module.find(kind_name)
        if not isinstance(kind, KindDef):
            continue
        if kind.free and kind.base is not None:
            join(graph, (unqualified(kind.base.name), False), (kind_name, True), _READ, "")
        for above in bases.above(kind.name)[1:]:
            join(graph, (kind_name, False), (unqualified(above), True), _FORGET, "")
    out: dict[tuple[str, ...], int] = {}
    for goal in ((wanted, False), (wanted, True)):
        if (found, False) in graph and goal in graph and nx.has_path(graph, (found, False), goal):
            for path in islice(nx.all_shortest_paths(graph, (found, False), goal, weight="cost"), _MOST):
                cost = nx.path_weight(graph, path, "cost")
                names: list[tuple[str, ...]] = [()]
                for at, to in pairwise(path):
                    names = [(*n, h) if h else n for n in names for h in graph[at][to]["names"]][:_MOST]
                out.update({n: cost for n in names if n and cost <= _DEAREST and n not in out})
    return sorted(out, key=lambda n: (out[n], [rank(case, name) for name in n]))[:_MOST]


def links(case: Case, found: str, wanted: str) -> list[tuple[str, ...]]:
    """The links from a plain number to a kind, or to one that is read as it; none where a link was used before."""
    all_ = [step for step in steps(case) if step.link and step.start == found]
    used = set(re.findall(r"\w+", case.text(case.decl))) if case.decl is not None else set()
    if found not in ROOTS or used & {step.name for step in all_}:
        return []
    kind = case.module.find(wanted)
    base = kind.base.name if isinstance(kind, KindDef) and kind.free and kind.base is not None else wanted
    fit = {step.name: (step.end != wanted, rank(case, step.name)) for step in all_ if step.end in (wanted, base)}
    out: list[tuple[str, ...]] = [(name,) for name in sorted(fit, key=lambda name: fit[name])]
    return out[:_MOST]


def qualified(case: Case, kind: str) -> str:
    """The name of a kind by which it is known to the program."""
    found = case.module.find(kind)
    return found.name if isinstance(found, KindDef) else kind


def join(graph: Any, start: tuple[str, bool], end: tuple[str, bool], cost: int, name: str) -> None:
    """One more way between two kinds; of dearer and cheaper ones the cheaper are kept."""
    if not graph.has_edge(start, end) or graph[start][end]["cost"] > cost:
        graph.add_edge(start, end, cost=cost, names=[name])
    elif graph[start][end]["cost"] == cost:
        graph[start][end]["names"].append(name)


def rank(case: Case, name: str) -> tuple[bool, int, str]:
    """The file's own first, then the shortest name: the plain ones of the prelude are short."""
    return name not in case.module.defs, len(name), name


def call(way: tuple[str, ...], text: str) -> str:
    """A way applied to a wire as it is written: `exp(0.5 * x)`."""
    for name in way:
        text = f"{name}{text}" if name.endswith(" ") else f"{name}({text})"
    return text


def chain(way: tuple[str, ...]) -> str:
    """A way as steps: `log`, `(x => 0.5 * x) >> exp`."""
    return " >> ".join(f"(x => {name}x)" if name.endswith(" ") else name for name in way)


def embedded(case: Case, found: str) -> Iterator[Group]:
    """A linear map of indices is a vector for each of them."""
    node = bare(case.node)
    root = node.function if isinstance(node, ast.Call) else node
    if found.startswith("Fin") and isinstance(root, ast.Name) and root.id == "linear":
        yield one("an index is not a number to be weighed: `embed` learns a vector for each", case.swap(root, "embed"))


def placed(case: Case, wanted: str) -> Iterator[Group]:
    """Where the largest is, and not how large, if an index is needed."""
    root = head(case.node.steps[-1] if isinstance(case.node, ast.Seq) else case.node)
    if isinstance(root, ast.Name) and wanted == "Fin" and root.id in ("max", "min"):
        said = f"`{root.id}` gives the value; `arg{root.id}` its index"
        yield one(said, case.swap(root, f"arg{root.id}"))


def single(case: Case, found: str, wanted: str) -> Iterator[Group]:
    """Numbers each of which means something by itself, where the signature says that they belong together."""
    kind, origin = case.module.find(wanted), case.mistake.origin
    if not isinstance(kind, KindDef) or kind.element is None or unqualified(kind.element.name) != found:
        return
    if origin is not None and origin.source is case.module.source and origin.text.startswith(wanted):
        said = f"each of these numbers stands by itself, and those of a `{wanted}` add up to one: declare what they are"
        yield one(said, case.put(origin.start, origin.start + len(wanted), found))


def mismatch(case: Case) -> Iterator[Group]:
    """E0401: a step too many, the axis of a kind, then a way."""
    wrong = case.mistake
    found, wanted = plain(wrong.found), plain(wrong.expected)
    if found == wanted:
        yield from axis_of_kind(case, wrong.expected)
        return
    yield from embedded(case, found)
    yield from placed(case, wanted)
    yield from single(case, found, wanted)
    yield from spare_step(case, found)
    here = set(re.findall(r"\w+", case.text(case.node))) if case.node is not None else set()
    for way in ways(case, found, wanted):
        if here & set(way):
            break  # what is there already is not there once too few
        yield from applied(case, way, makes(way, found, wanted))
    for way in links(case, found, wanted):
        yield from applied(case, way, makes(way, found, wanted), link=True)
    legs = two(case)
    if legs:
        left, right = legs
        edits = (case.swap(left, case.text(right)), case.swap(right, case.text(left)))
        yield one("the two sides meet after a swap", *edits)
    if wanted in case.module.defs or (mixed(case) and found not in ROOTS and found in above(case, wanted)):
        claim = f"if these numbers are `{wanted}` all the same, claim it; nothing is computed"
        yield from applied(case, (f"as[{wanted}]",), claim)


def makes(way: tuple[str, ...], found: str, wanted: str) -> str:
    """What a way does, in words."""
    return f"`{' >> '.join(w.strip() for w in way)}` makes `{wanted}` of `{found}`"


def spare_step(case: Case, found: str) -> Iterator[Group]:
    """A last step that made the numbers what they should not be, the nearest first."""
    body = getattr(case.decl, "body", None)
    names = {step.name for step in steps(case) if step.end == found}
    ends = [n.steps for n in walk(body) if isinstance(n, ast.Seq)] if body is not None else []
    near = sorted(ends, key=lambda found_: abs(found_[-1].end - case.span.end))
    for *_, before_last, last in near[:_MOST]:
        if case.text(head(last)) in names:
            said = f"leave `{case.text(last)}` out"
            yield one(said, case.put(before_last.end, last.end, ""))


def mixed(case: Case) -> bool:
    """Whether the numbers are a sum: of distributions it may be one, if the weights are right."""
    return isinstance(case.node, ast.Chain) and set(case.node.operators) == {"+"}


def above(case: Case, kind: str) -> list[str]:
    """The kinds that a kind lies over."""
    return [unqualified(name) for name in case.program.kinds.above(qualified(case, kind))[1:]]


def head(step: Any) -> Any:
    """The name of a step."""
    step = bare(step)
    return step.base if isinstance(step, ast.Index) else step


def plain(kind: str) -> str:
    """A kind without its axis."""
    return kind.partition("(")[0]


def axis_of_kind(case: Case, expected: str) -> Iterator[Group]:
    """The step that yields the kind acts on the axis that the kind names."""
    axis = expected.partition("(")[2].rstrip(")")
    node = case.node.steps[-1] if isinstance(case.node, ast.Seq) else case.node
    node = bare(node)
    said = f"let it act on `{axis}`"
    if isinstance(node, ast.Index):
        yield one(said, case.put(node.base.end, node.end, f"[{axis}]"))
    elif isinstance(node, ast.Name):
        yield one(said, case.put(node.end, node.end, f"[{axis}]"))


def applied(case: Case, way: tuple[str, ...], said: str, link: bool = False) -> Iterator[Group]:
    """The way put at each place from which the wrong number may have come; a link is for no result of arithmetic."""
    node = case.node
    if node is None:
        return
    if link and isinstance(node, _ARITHMETIC):
        return
    for operand in operands(case, node):
        if link and isinstance(bare(operand), _ARITHMETIC):
            continue
        text = case.text(operand)
        if isinstance(operand, (ast.Seq, ast.Chain)) and not isinstance(case.parent(node), ast.Arg):
            yield one(said, *case.then(operand, chain(way)))
        else:
            yield one(said, case.swap(operand, call(way, text)))
    if "the result of" in case.mistake_context:
        yield one(said, *case.then(node, chain(way)))
        return
    if not isinstance(node, (ast.Chain, ast.Lambda)):
        yield one(said, *case.first(node, beside(case, way)))


def beside(case: Case, way: tuple[str, ...]) -> str:
    """A way as a step before a place: of several inputs only the wrong one goes through it."""
    place = _INPUT.match(case.mistake_context)
    name = head(case.node)
    found = case.module.find(name.id) if isinstance(name, ast.Name) else None
    signature = found.head.signature if isinstance(found, MorphismDef) else None
    if place is None or not isinstance(signature, ast.Arrow) or not isinstance(signature.domain, ast.Tensor):
        return chain(way)
    legs = ["id"] * len(signature.domain.legs)
    legs[int(place[1]) - 1] = chain(way) if len(way) == 1 and way[0].isidentifier() else f"({chain(way)})"
    return f"({' @ '.join(legs)})"


def never(case: Case) -> Iterator[Group]:
    """E0402: a step too many, or an operand that a way leads out of."""
    node = case.node
    wrong = case.mistake
    dropped = drop_step(case, node)
    if dropped is not None and len(wrong.kinds) == 1:
        yield one(f"leave `{case.text(node)}` out", dropped)
    yield from read_each(case, node)
    for kind, operand in meant(case, zip(wrong.kinds, operands(case, node), strict=False)):
        text = case.text(operand)
        for way in leaving(case, kind, wrong.message):
            said = f"`{way[0] if len(way) == 1 and way[0].isidentifier() else call(way, '…')}` of the `{kind}` first"
            whole = isinstance(operand, (ast.Seq, ast.Lambda))
            edits = case.then(operand, chain(way)) if whole else (case.swap(operand, call(way, text)),)
            yield one(said, *edits)
    yield from without_softmax(case)
    yield from other(case)


def meant(case: Case, found: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The operands whose kind may be the mistake: a plain number is none beside one that means something."""
    pairs = list(found)
    return [pair for pair in pairs if above(case, pair[0])] or pairs


def other(case: Case) -> Iterator[Group]:
    """The message names another morphism that takes what there is."""
    node = head(case.node)
    if isinstance(node, ast.Name):
        for word in re.findall(r"\w+", case.mistake.message):
            if word != node.id and isinstance(case.module.find(word), MorphismDef):
                yield one(f"use `{word}`", case.swap(node, word))


def leaving(case: Case, kind: str, message: str) -> list[tuple[str, ...]]:
    """Single steps out of a kind; those that the message names come first, and others are no better than a guess."""
    found = [step.name for step in steps(case) if step.start == kind]
    found += ["real"] if kind == "Fin" else []
    words = set(re.findall(r"\w+", message))
    named = [name for name in dict.fromkeys(found) if name.strip() in words]
    if kind == "LogVar" and "0.5" in message:
        named = ["0.5 * "]
        return [("0.5 * ", "exp"), ("0.5 * ",)]
    return [(name,) for name in named]


def without_softmax(case: Case) -> Iterator[Group]:
    """What takes logits is given what a softmax of another morphism yields: that one is the step too many."""
    if "Logits" not in case.mistake.message and "logits" not in case.mistake.message:
        return
    for found in case.module.defs.values():
        if not isinstance(found, MorphismDef) or found.module is not case.module:
            continue
        signature, body = found.head.signature, found.head.body
        if not isinstance(signature, ast.Arrow) or not isinstance(body, ast.Seq):
            continue
        last, before_last = body.steps[-1], body.steps[-2]
        kind = signature.codomain
        while isinstance(kind, (ast.Index, ast.Call)):
            kind = kind.base if isinstance(kind, ast.Index) else kind
            if isinstance(kind, ast.Call):
                break
        if case.text(last).partition("[")[0] == "softmax" and case.text(kind).startswith("Probs"):
            edits = (case.swap(kind, "Logits"), case.put(before_last.end, last.end, ""))
            yield one(f"let `{found.name}` yield its logits", *edits)
    for operand in sources(case):
        if isinstance(operand, ast.Call) and len(operand.args) == 1 and case.text(head(operand)) == "softmax":
            yield one("leave the `softmax` out", case.swap(operand, case.text(operand.args[0].value)))
        for inner in (operand, *children(operand)):
            if isinstance(inner, ast.Seq) and case.text(inner.steps[-1]).partition("[")[0] == "softmax":
                last, before_last = inner.steps[-1], inner.steps[-2]
                yield one("leave the `softmax` out", case.put(before_last.end, last.end, ""))


def sources(case: Case) -> list[Any]:
    """What the wires at a place come from: arguments, the items of the tuple or the legs of the product before it."""
    node = case.around(ast.Call) or case.node
    found = operands(case, node)
    seq = case.parent(node)
    if isinstance(seq, ast.Seq):
        step = next(i for i, step in enumerate(seq.steps) if step is node)
        last = seq.steps[step - 1] if step else None
        found += list(last.legs) if isinstance(last, ast.Tensor) else []
    return found


def read_each(case: Case, node: Any) -> Iterator[Group]:
    """Arithmetic of indices: each is read as a number first."""
    if not isinstance(node, ast.Chain) or "Fin" not in case.mistake.kinds:
        return
    pieces = [case.text(o) if isinstance(o, ast.Number) else f"real({case.text(o)})" for o in node.operands]
    text = pieces[0] + "".join(f" {o} {p}" for o, p in zip(node.operators, pieces[1:], strict=True))
    around = case.around(ast.Call)
    said = "read each index as a number"
    if around is not None and case.text(around.function) == "real" and len(around.args) == 1:
        yield one(said, case.swap(around, text))
    yield one(said, case.swap(node, text))


def unrelated(case: Case) -> Iterator[Group]:
    """E0404: one side is read as what the other is."""
    wrong, node = case.mistake, case.node
    found = operands(case, node)
    for operand in found:
        if isinstance(operand, ast.Number):
            continue
        for left, right in ((wrong.left, wrong.right), (wrong.right, wrong.left)):
            for way in ways(case, plain(left), plain(right)):
                said = makes(way, plain(left), plain(right))
                yield one(said, case.swap(operand, call(way, case.text(operand))))


def left_out(case: Case) -> Iterator[Group]:
    """The step that is one too many."""
    dropped = drop_step(case, case.node)
    if dropped is not None:
        yield one(f"leave `{case.text(case.node)}` out", dropped)
