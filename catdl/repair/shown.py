"""Types as the messages show them, read back into their parts.

A mistake holds its types as text. The text is enough here, for whatever is concluded from it is tried before it is
offered.

    read("Real[(C H): 6, T, 64]").axes     # (Part("(C H)", "6"), Part("T", "T"), Part("", "64"))
"""

from __future__ import annotations

from catdl.record import record


@record
class Part:
    """One axis: its label (empty where it has none) and its size."""

    label: str
    size: str


@record
class Shown:
    """A tensor type: the text of its kind, and its axes."""

    kind: str
    axes: tuple[Part, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in order."""
        return tuple(axis.label for axis in self.axes)

    @property
    def named(self) -> bool:
        """Whether every axis has a plain name that can be written in brackets."""
        return all(is_name(label) for label in self.labels)


def read(text: str) -> Shown:
    """The parts of a shown type."""
    kind, bracket, rest = text.partition("[")
    if not bracket or not rest.endswith("]"):
        return Shown(text, ())
    return Shown(kind, tuple(part(item) for item in split(rest[:-1])))


def part(text: str) -> Part:
    """One shown axis."""
    pieces = split(text, ":")
    if len(pieces) == 2:
        return Part(pieces[0], pieces[1])
    labelled = is_name(text) or (text.startswith("(") and text.endswith(")") and "*" not in text)
    return Part(text if labelled else "", text)


def split(text: str, mark: str = ",") -> list[str]:
    """The pieces between marks that stand in no bracket."""
    pieces, depth, begin = [], 0, 0
    for place, character in enumerate(text):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == mark and depth == 0:
            pieces.append(text[begin:place].strip())
            begin = place + 1
    return [*pieces, text[begin:].strip()]


def is_name(text: str) -> bool:
    """Whether it is one name, primes included."""
    return text.rstrip("'").isidentifier()
