"""What fuzzing starts from: every `.cat` text of the tree, its tokens, and the names of the prelude."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
TOKEN = re.compile(
    r"[A-Za-z_]\w*'*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\"[^\"\n]*\"|>>|=>|->|~>|==|!=|[<>]=|//|\*\*|\.\.|\s+|#.*|."
)
NAME = re.compile(r"[A-Za-z_]\w*'*")
NUMBERS = (
    "0",
    "1",
    "2",
    "3",
    "7",
    "-1",
    "-3",
    "64",
    "65536",
    "1000000007",
    "9223372036854775807",
    "9223372036854775808",
)
ODD_NUMBERS = (
    "1" + "0" * 30,
    "9" * 400,
    "0.5",
    "1.5",
    "1e9",
    "1e400",
    "1e-400",
    "0.1",
    "1e999999999",
    "00",
    "1/3",
    "2^62",
)


@cache
def texts() -> tuple[str, ...]:
    """The texts, short ones first."""
    folders = ("examples", "catdl/prelude", "tests")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.cat")]
    read = {path.read_text(encoding="utf-8") for path in sorted(found)}
    return tuple(sorted(read, key=lambda text: (len(text), text)))


@cache
def tokens(text: str) -> tuple[str, ...]:
    """A text in pieces that put together are the text."""
    return tuple(TOKEN.findall(text))


@cache
def entries() -> tuple[str, ...]:
    """The morphisms of the prelude, core operations included."""
    declared = re.compile(r"^(?:native |core )?morphism[ \t]+(\w+)", re.MULTILINE)
    folder = ROOT / "catdl" / "prelude"
    return tuple(name for path in sorted(folder.glob("*.cat")) for name in declared.findall(path.read_text("utf-8")))


@cache
def kinds() -> tuple[str, ...]:
    """The kinds of the prelude."""
    text = (ROOT / "catdl" / "prelude" / "kinds.cat").read_text("utf-8")
    return ("Real", *re.findall(r"^kind[ \t]+(\w+)", text, re.MULTILINE))


def number(random: Random) -> str:
    """A number as it should not be, most often."""
    return random.choice(NUMBERS if random.random() < 0.7 else ODD_NUMBERS)


def text(random: Random) -> str:
    """A text of the tree: one of the shorter half three times out of four."""
    all_texts = texts()
    return all_texts[random.randrange(len(all_texts) // 2 if random.random() < 0.75 else len(all_texts))]
