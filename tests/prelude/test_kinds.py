"""Every kind that the prelude can yield is known wherever it arises, whatever kinds a file mentions."""

from __future__ import annotations

import pytest

from catdl.check.declare import declare_prelude
from catdl.check.kinds import ROOTS, Kinds
from catdl.check.scope import KindDef, MorphismDef, Overload, PreludeScope
from catdl.driver import loads
from catdl.prelude import Prelude

SCOPE = PreludeScope(Prelude.load(), declare_prelude)
KINDS = [name for name, place in SCOPE.prelude.entries.items() if place.source.path == "prelude/kinds.cat"]
# A morphism that mentions every kind there is.
MENTION = f"morphism mention : {' @ '.join(KINDS)} -> {' @ '.join(KINDS)} = id\n"


def overloads(name: str) -> tuple[Overload, ...]:
    """The overloads of an entry."""
    found = SCOPE.find(name)
    assert isinstance(found, MorphismDef)
    return found.overloads


MADE = sorted(
    {
        (name, o.inputs[0], result)
        for name in SCOPE.prelude.overloads
        for o in overloads(name)
        if o.literal is None and len(o.inputs) == 1 and "Fin" not in o.inputs
        for result in o.outputs or ()
    }
)


@pytest.mark.parametrize("kind", sorted({result for *_, result in MADE}))
def test_made_kinds_are_known(kind: str) -> None:
    kinds = Kinds(SCOPE)  # of a file that mentions none
    assert isinstance(kinds.find(kind), KindDef)
    assert kinds.root(kind) in ROOTS


@pytest.mark.parametrize(("name", "kind", "result"), MADE)
def test_no_verdict_hangs_on_a_mention(name: str, kind: str, result: str) -> None:
    """What may be done with a result is the same in a file that mentions its kind and in one that does not."""
    text = f"dim Z = 8\nmorphism made : {kind}[Z] -> Real[Z] = x => 1 / (x >> {name}) + 1\n"
    alone, beside = (
        [(d.code, d.parts().message) for d in loads(t).diagnostics if d.severity == "error"]
        for t in (text, MENTION + text)
    )
    assert alone == beside
