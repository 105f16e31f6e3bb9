"""How much two keys sound alike: words in common, and words of which one abbreviates the other.

likeness(words("attention.query"), words("self.attn.query"))      3: `query` counts 2, `attn` for `attention` 1
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[a-z]+")
_LONGEST = 64  # letters of a word, and words of a key, that are looked at


def words(key: str) -> tuple[str, ...]:
    """The words of a key in small letters, numbers left out."""
    return tuple([word[:_LONGEST] for word in _WORD.findall(key.lower())][-_LONGEST:])


def likeness(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """2 for each word that both have, 1 for each that abbreviates one of the other."""
    left = list(theirs)
    rest = []
    total = 0
    for word in ours:
        if word in left:
            left.remove(word)
            total += 2
        else:
            rest.append(word)
    for word in rest:
        other = next((other for other in left if abbreviates(word, other) or abbreviates(other, word)), None)
        if other is not None:
            left.remove(other)
            total += 1
    return total


def abbreviates(short: str, long: str) -> bool:
    """Whether a word is another with letters left out, the first one kept: `attn`, `attention`; `q`, `query`."""
    if len(short) >= len(long) or short[0] != long[0]:
        return False
    letters = iter(long)
    return all(letter in letters for letter in short)
