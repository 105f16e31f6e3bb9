"""Names for the boxes that own parameters: the segments of their keys.

Takes a builder whose boxes know what they own. Guarantees: a site is the name of the occurrence, else that of what is
used, numbered in text order where it is taken (`layernorm`, `layernorm_2`); boxes with one token have one site; what
stands in a transparent box (`each`, `map` and `iterate` without a name) is named with what stands around it.

    each[E](fresh (layernorm >> linear)) >> layernorm      layernorm, linear, layernorm_2
"""

from __future__ import annotations

from collections.abc import Iterator

from catdl.check.builder import Builder, Inner, PBox, Source_


def name_sites(builder: Builder) -> None:
    """Name the boxes of one body, in text order."""
    names = _Names()
    stack: list[tuple[Iterator[tuple[int, PBox]], object | None]] = [(in_text_order(builder), None)]
    while stack:
        boxes, around = stack[-1]
        for place, box in boxes:
            if not box.owns:
                continue
            # In a tied body made again, what stands at the same place is the same.
            token = names.token(box.token, None if around is None else (around, place))
            if isinstance(box.op, Inner) and box.transparent:
                stack.append((in_text_order(box.op.builder), token))
                break
            box.site = names.site(box, token)
        else:
            stack.pop()


def in_text_order(builder: Builder) -> Iterator[tuple[int, PBox]]:
    """The boxes of a body with their places, in the order of the text."""
    waiting: dict[PBox, list[tuple[int, PBox]]] = {}
    for place, box in enumerate(builder.boxes):
        if box.after is not None:
            waiting.setdefault(box.after, []).append((place, box))
    for place, box in enumerate(builder.boxes):
        if box.after is None:
            yield place, box
            yield from waiting.pop(box, ())
    for rest in waiting.values():
        yield from rest


class _Names:
    """The sites of one body as they are given."""

    __slots__ = ("groups", "known", "sites", "taken")

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}
        self.known: dict[object, object] = {}  # what stands for a token
        self.sites: dict[object, str] = {}
        self.groups: dict[object, str] = {}

    def token(self, own: object | None, place: object | None) -> object | None:
        """What boxes that share weights have in common: their own token, or their place in a tied body."""
        if own is None and place is None:
            return None
        found = self.known.get(own) or self.known.get(place) or own or place
        for token in (own, place):
            if token is not None:
                self.known[token] = found
        return found

    def fresh(self, name: str) -> str:
        """The name, numbered when it is taken."""
        count = self.taken.get(name, 0) + 1
        site = name if count == 1 else f"{name}_{count}"
        while count > 1 and site in self.taken:
            count += 1
            site = f"{name}_{count}"
        self.taken[name] = count
        if count > 1:
            self.taken[site] = 1
        return site

    def site(self, box: PBox, token: object | None) -> str:
        """The site of a box."""
        if token is not None and token in self.sites:
            return self.sites[token]
        wanted = box.segment if isinstance(box.op, Source_) else box.label or box.segment
        if box.group is not None:
            group, place = box.group
            base = self.groups.get(group)
            if base is None:
                base = self.groups[group] = self.fresh(wanted)
            site = f"{base}.{place}"
        else:
            site = self.fresh(wanted)
        if token is not None:
            self.sites[token] = site
        return site
