"""Proved laws as rewrites of wiring: where one side stands in a diagram, the other may stand.

Takes terms of `wires.py`. A lemma is read from its larger side to its smaller one; of sides alike in size, from one
instance to one that comes before it, so rewriting ends. An input of a law stands for any wire of its type; a morphism
that the law speaks of for any one box that does not draw.

    lemma("shift", left, right)
"""

from __future__ import annotations

from collections.abc import Sequence

from catdl.diagram.model import VARIABLE, Diagram
from catdl.laws.terms import Store, Term
from catdl.laws.wires import HOLDS, form, wired
from catdl.record import record

PASSES = 16
"""How often a diagram is gone through; what a lemma has made may be one's side again."""


@record
class Lemma:
    """A proved law: its name, its sides for one result, and the forms of its inputs."""

    name: str
    left: Term
    right: Term
    forms: dict[str, str]


def lemmas(name: str, left: Diagram, right: Diagram, steps: int) -> list[Lemma]:
    """What a law says of each of its results. Raises Budget."""
    store = Store(steps)
    (ours, _), (theirs, _) = wired(left, store), wired(right, store)
    forms = {f"x{k}": form(left.wires[wire].type) for k, wire in enumerate(left.inputs)}
    found: list[Lemma] = []
    for a, b in zip(ours, theirs, strict=True):
        big, small = (a, b) if size(a) >= size(b) else (b, a)
        names = ({t.data for t in subterms(side) if t.op == "in"} for side in (big, small))
        free, needed = names
        lone = any(map(holds, subterms(small))) and not any(map(holds, subterms(big)))  # nothing says where it would be
        drawn = any(map(draws, subterms(big)))
        if big is not small and big.op == "box" and needed <= free and not lone and not drawn:
            found.append(Lemma(name, big, small, forms))
    return found


def subterms(term: Term) -> list[Term]:
    """A term and all that it is made of, each once, parts first."""
    found: dict[Term, None] = {}
    stack = [(term, False)]
    while stack:
        here, parts = stack.pop()
        if parts:
            found[here] = None
        elif here not in found:
            stack.append((here, True))
            stack += [(arg, False) for arg in here.args if arg not in found]
    return list(found)


def size(term: Term) -> int:
    """Of how many boxes it is made."""
    return len(subterms(term))


def said(term: Term) -> tuple[object, ...]:
    """What a box is, its name or sort first."""
    found = term.data[0] if term.op == "box" and isinstance(term.data, tuple) else ()
    return found if isinstance(found, tuple) and found else ("",)


def draws(term: Term) -> bool:
    """Whether it is a box that draws."""
    return said(term)[0] == "sample" or str(said(term)[0]).endswith("~")


def holds(term: Term) -> bool:
    """Whether it is a box that holds a diagram."""
    return said(term)[0] == HOLDS


def variable(term: Term) -> str | None:
    """The morphism variable that a box is."""
    name = said(term)[0]
    return name if isinstance(name, str) and name.startswith(VARIABLE) else None


def open_at(term: Term) -> set[int]:
    """The bodies around a term whose inputs it reads."""
    found: dict[Term, set[int]] = {}
    for part in subterms(term):
        here = set().union(*(found[arg] for arg in part.args))
        if part.op == "argument" and isinstance(part.data, tuple):
            here = {part.data[0]}
        elif holds(part):
            depth = said(part)[1]
            assert isinstance(depth, int)
            here.discard(depth + 1)
        found[part] = here
    return found[term]


class Matched:
    """What the inputs and the morphisms of a law stand for."""

    def __init__(self, lemma: Lemma, forms: dict[Term, str]) -> None:
        self.lemma = lemma
        self.forms = forms
        self.wires: dict[str, Term] = {}
        self.boxes: dict[str, Term] = {}

    def matches(self, pattern: Term, term: Term) -> bool:
        """Whether a term is an instance of a side."""
        seen: set[tuple[int, int]] = set()
        stack = [(pattern, term)]
        while stack:
            one, other = stack.pop()
            if (id(one), id(other)) in seen:
                continue
            seen.add((id(one), id(other)))
            if one.op == "in":
                name = str(one.data)
                if self.wires.setdefault(name, other) is not other or self.forms.get(other) != self.lemma.forms[name]:
                    return False
                continue
            morphism = variable(one)
            if morphism is not None:
                if other.op != "box" or draws(other) or not self.stands(morphism, one, other):
                    return False
            elif (one.op, one.data) != (other.op, other.data) or len(one.args) != len(other.args):
                return False
            stack += zip(one.args, other.args, strict=False)
        return True

    def stands(self, name: str, one: Term, other: Term) -> bool:
        """Whether a morphism may stand for a box: one everywhere, on as many wires, with a result of its type."""
        assert isinstance(one.data, tuple) and isinstance(other.data, tuple)
        first = self.boxes.setdefault(name, other)
        count = one.data[1]
        return (
            one.data[1:] == other.data[1:]
            and isinstance(first.data, tuple)
            and first.data[:2] == other.data[:2]
            and first.args[count:] == other.args[count:]
        )

    def instance(self, side: Term, store: Store) -> Term:
        """A side with all that it stands for."""
        made: dict[Term, Term] = {}
        for term in subterms(side):
            args = tuple(made[arg] for arg in term.args)
            name = variable(term)
            if term.op == "in":
                made[term] = self.wires[str(term.data)]
            elif name is not None:
                box = self.boxes[name]
                assert isinstance(term.data, tuple) and isinstance(box.data, tuple)
                made[term] = store.make("box", (box.data[0], *term.data[1:]), (*args, *box.args[len(args) :]))
            else:
                made[term] = store.make(term.op, term.data, args)
        return made[side]


def rewritten(
    terms: Sequence[Term], known: Sequence[Lemma], store: Store, forms: dict[Term, str]
) -> tuple[list[Term], list[str]]:
    """Terms with all lemmas applied, and the names of those that were. Raises Budget."""
    used: dict[str, None] = {}
    current = list(terms)
    for _ in range(PASSES):
        made: dict[Term, Term] = {}
        for root in current:
            for term in subterms(root):
                if term in made:
                    continue
                store.spend()
                args = tuple(made[arg] for arg in term.args)
                here = term if args == term.args else store.make(term.op, term.data, args)
                if term in forms:
                    forms.setdefault(here, forms[term])
                made[term] = _once(here, known, store, forms, used)
        after = [made[root] for root in current]
        if after == current:
            break
        current = after
    return current, list(used)


def _once(term: Term, known: Sequence[Lemma], store: Store, forms: dict[Term, str], used: dict[str, None]) -> Term:
    """One lemma applied to a box, if one is."""
    for lemma in known:
        store.spend()
        found = Matched(lemma, forms)
        if not found.matches(lemma.left, term):
            continue
        inside = (*found.wires.values(), *found.boxes.values())
        if any(map(holds, subterms(lemma.right))) and any(map(open_at, inside)):
            continue  # what holds a diagram would take what it reads for its own
        made = found.instance(lemma.right, store)
        if size(lemma.left) > size(lemma.right) or made.digest < term.digest:
            used[lemma.name] = None
            forms.setdefault(made, forms[term])
            return made
    return term
