# ruff: noqa: E501  (lines of specs)
"""Texts derived from `grammar/catdl.lark`: whatever the grammar allows, with names that mean something."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random

from lark import Lark
from lark.grammar import NonTerminal, Symbol

from catdl.syntax.tables import grammar_text
from tests.fuzz import corpus

HEAD = "dim A = 4, B = 6, D = A * B, T : time, U\nobject Seq = Real[T, D]\nmorphism act : Seq -> Seq = tanh\n"
NAMES = ("A", "B", "D", "T", "U", "T'", "Seq", "act", "f", "g", "x", "y", "n", "Real", "Fin", "Bool", "id", "copy", "discard",
         "swap", "repeat", "chain", "iterate", "each", "map", "true", "false", "range", "relu", "linear", "softmax", "normal", "ones",
         "nth", "sqrt", "free", "earned", "axis", "list", "time", "set", "weights", "as", "never")  # fmt: skip
TEXTS = (
    '"a"',
    '""',
    '"t d -> d t"',
    '"t d, d e -> t e"',
    '"(t 2) d -> t (2 d)"',
    '"mean"',
    '"... -> 1 ..."',
    '"same"',
    '"\\\\"',
)


@cache
def grammar() -> dict[str, list[Sequence[Symbol]]]:
    """The expansions of every rule."""
    rules: dict[str, list[Sequence[Symbol]]] = {}
    for rule in Lark(grammar_text(), parser="lalr", start="start").rules:
        rules.setdefault(str(rule.origin.name), []).append(rule.expansion)
    return rules


@cache
def signs() -> dict[str, str]:
    """The text of every terminal that has only one."""
    found = {}
    for terminal in Lark(grammar_text(), parser="lalr", start="start").terminals:
        if terminal.pattern.type == "str":
            found[str(terminal.name)] = terminal.pattern.value
    return found | {"TO": "->", "RANDOM": "~>", "TENSOR": "@", "NL": "\n"}


@cache
def heights() -> dict[str, int]:
    """How deep the flattest derivation of every rule goes."""
    rules = grammar()
    found: dict[str, int] = {}
    while len(found) < len(rules):
        for name, expansions in rules.items():
            if name not in found:
                known = [h for h in (height(expansion, found) for expansion in expansions) if h is not None]
                if known:
                    found[name] = 1 + min(known)
    return found


def height(expansion: Sequence[Symbol], known: dict[str, int]) -> int | None:
    """How deep an expansion goes at least, where its rules are known."""
    parts = [known.get(str(part.name)) for part in expansion if isinstance(part, NonTerminal)]
    return None if None in parts else max((part for part in parts if part is not None), default=0)


def derive(random: Random, start: str, size: int) -> str:
    """A sentence of a rule; from `size` tokens on it is brought to an end as fast as can be."""
    rules, flat = grammar(), heights()
    out: list[str] = []
    stack: list[Symbol] = [NonTerminal(start)]
    while stack:
        part = stack.pop()
        name = str(part.name)
        if not isinstance(part, NonTerminal):
            out.append(terminal(random, name))
            continue
        options = rules[name]
        if len(out) + len(stack) > size:
            least = min(height(option, flat) or 0 for option in options)
            options = [option for option in options if (height(option, flat) or 0) == least]
        stack += reversed(random.choice(options))
    return " ".join(out)


def terminal(random: Random, name: str) -> str:
    """A text of a terminal."""
    if name == "NAME":
        return random.choice(NAMES) if random.random() < 0.8 else random.choice(corpus.entries())
    if name == "NUMBER":
        return (
            random.choice(("0", "1", "2", "3", "4", "6"))
            if random.random() < 0.8
            else corpus.number(random).lstrip("-")
        )
    return random.choice(TEXTS) if name == "TEXT" else signs().get(name, name)


def grown(random: Random) -> bytes:
    """A file of a few declarations after some that mean something."""
    start = random.choice(("decls", "decls", "expr", "expr", "expr", "type", "facts"))
    body = derive(random, start, random.choice((5, 15, 40, 120)))
    match start:
        case "expr":
            body = f"morphism g : {random.choice(('Seq -> Seq', 'Seq -> ()', 'Real[A] -> Real[B]', 'Seq @ Seq -> Seq'))} = {body}"
            body = body.replace(": Seq -> Seq ", " ", 1) if random.random() < 0.2 else body
        case "type":
            body = f"morphism g : {body} -> () = discard"
        case "facts":
            body = f"where {body}"
        case _:
            pass
    return (HEAD + body + "\n").encode()
