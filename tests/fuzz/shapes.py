"""What families of texts are made of: chains, nests, sizes, facts."""

from __future__ import annotations

from collections.abc import Callable

HEAD = "dim A = 4, B = 6, D = A * B, T : time, U\ndim H, W\n"
M = HEAD + "morphism m : Real[T, D] -> Real[T, D] = "
V = HEAD + "morphism m : Real[D] -> Real[D] = "
SIZE = 64 * 1024

Family = Callable[[int], str]


def joined(sign: str, part: str = "relu") -> Family:
    """A long chain of one operator."""
    return lambda n: M + f" {sign} ".join([part] * n)


def nested(before: str, inside: str, after: str) -> Family:
    """Something inside itself."""
    return lambda n: M + before * n + inside + after * n


def sized(text: Callable[[int], str]) -> Family:
    """A size, as that of an input."""
    return lambda n: HEAD + f"morphism m : Real[K: {text(n)}] -> () = discard\n"


def stated(text: Callable[[int], str]) -> Family:
    """A fact about dims."""
    return lambda n: (
        HEAD + f"where {text(n)}\nmorphism m : Real[H, W] -> Real[K: H * W] = flatten >> rename[(H, W) -> K]\n"
    )


def wires(text: Callable[[int], str]) -> Family:
    """An expression of one wire."""
    return lambda n: M + "x => " + text(n)


def many(line: Callable[[int], str], tail: str = "") -> Family:
    """Many lines of one form."""
    return lambda n: HEAD + "\n".join(line(i) for i in range(n)) + "\n" + tail


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def letter(i: int) -> str:
    """The letter, or word, of a number."""
    return LETTERS[i] if i < 26 else f"l{i}"


def letters(n: int, sign: str = " ") -> str:
    """So many letters."""
    return sign.join(letter(i) for i in range(n))
