"""Records by the names of their ports: names decide, not places.

Takes wires under names and the order that is declared. Guarantees that what is reordered has the same names there.

    (c = …, h = …)  for  (h: Real[H], c: Real[H])      the wires of h and of c
"""

from __future__ import annotations

from collections.abc import Sequence

from catdl.check.builder import Bundle


def in_order(out: Bundle, names: Sequence[str | None] | None) -> Bundle:
    """Wires in the order of declared ports, record by record: from where both name the same to where they do again."""
    given = out.names
    if out.bad or given is None or names is None or len(given) != len(names) or tuple(given) == tuple(names):
        return out
    order: list[int] = []
    ahead: dict[str | None, int] = {}  # of what was passed, how many more are given than declared
    start = 0
    for end, (mine, wanted) in enumerate(zip(given, names, strict=True), 1):
        for name, change in ((mine, 1), (wanted, -1)):
            ahead[name] = ahead.get(name, 0) + change
            if not ahead[name]:
                del ahead[name]
        if ahead:
            continue
        places = {name: start + k for k, name in enumerate(given[start:end])}
        alone = end - start == 1
        if not alone and (None in places or len(places) != end - start):
            return out
        order += range(start, end) if alone else [places[name] for name in names[start:end]]
        start = end
    if start != len(names):
        return out
    made = Bundle([out.wires[k] for k in order], tuple(names))
    made.groups, made.way = out.groups, out.way
    return made
