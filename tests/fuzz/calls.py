# ruff: noqa: E501  (lines of specs)
"""Calls of every entry of the prelude with arguments of all sorts, in compositions that get past the parser."""

from __future__ import annotations

import re
from functools import cache
from random import Random

from tests.fuzz import corpus

DIMS = ("A", "B", "C", "D", "T", "U", "H", "W")
HEAD = "dim A = 4, B = 6, C = 8, D = A * B, T : time, U : set\ndim H, W\n"
FACTS = (
    "",
    "",
    "where 8 | H, 8 | W\n",
    "where T >= 3, H == W\n",
    "where U >= 0, 2 | H\n",
    "where H == 2 * W, T <= 512\n",
)
PATTERNS = ("t d -> d t", "t (h d) -> h t d", "a b -> (a b)", "(a 2) b -> a (b 2)", "a b, b c -> a c", "... a -> a ...", "a a -> a",
            "a -> a a", "a 1 -> a", "a b -> b", "a b ->", "-> a", "(a (b c)) -> a b c", "a b c d e f g", "", "((", "a0 _ -> _", "a b -> a 1 b",
            "a, b -> a b", "a a, a -> ", "... , ... -> ...", "(a b) (c d) -> (b a d c)")  # fmt: skip
WORDS = ("same", "valid", "causal", "reflect", "circular", "constant", "replicate", "mean", "max", "sum", "none", "half",
         "interleaved", "linear", "cubic", "nearest", "tanh", "x", "")  # fmt: skip
UNARY = ("relu", "tanh", "exp", "log", "sqrt", "neg", "abs", "sigmoid", "softmax", "layernorm", "id", "copy", "discard", "swap", "real",
         "bool", "linear", "flatten", "log_softmax", "not", "argmax", "mean[..]", "sum[..]", "normal_like", "dropout")  # fmt: skip


@cache
def parameters(name: str) -> tuple[str, ...]:
    """Names of static parameters that an entry's text has; more than its own do no harm."""
    for path in sorted((corpus.ROOT / "catdl" / "prelude").glob("*.cat")):
        found = re.search(
            rf"^(?:native |core )?morphism {name}\b[^=]*?(?=\s:\s|\s=|$)", path.read_text("utf-8"), re.MULTILINE
        )
        if found:
            return tuple(re.findall(r"(\w+) :", found[0]))
    return ()


def size(random: Random, depth: int = 2) -> str:
    """A size: mostly a small one."""
    if depth == 0 or random.random() < 0.5:
        return random.choice(DIMS) if random.random() < 0.6 else random.choice(("0", "1", "2", "3", "4", "6", "24"))
    if random.random() < 0.05:
        return corpus.number(random)
    left, right = size(random, depth - 1), size(random, depth - 1)
    return f"({left} {random.choice(('+', '-', '*', '/', '//', '*', '^'))} {right})"


def axis(random: Random) -> str:
    """An axis of a type."""
    match random.randrange(8):
        case 0:
            return f"{random.choice(DIMS)}: {size(random)}"
        case 1:
            return f"K: {size(random)}"
        case 2:
            return size(random)
        case 3:
            return random.choice(("(A B)", "(H W)", "(K: 2, L: 3)", "T'", "..S", "(A: 2 B)", "N: (A B)"))
        case _:
            return random.choice(DIMS)


def tensor(random: Random) -> str:
    """A tensor type."""
    kind = "Real" if random.random() < 0.6 else random.choice((*corpus.kinds(), f"Fin({size(random)})", "Probs[A]"))
    axes = ", ".join(axis(random) for _ in range(random.choice((0, 1, 1, 2, 2, 3, 3, 4, 6))))
    return f"{kind}[{axes}]" if axes else kind


def type_of(random: Random) -> str:
    """A type: a tensor, a product, a power, nothing."""
    match random.randrange(10):
        case 0:
            return f"{tensor(random)} @ {tensor(random)}"
        case 1:
            return f"{tensor(random)} @ {tensor(random)} @ {tensor(random)}"
        case 2:
            return f"({tensor(random)})^{random.choice(('0', '1', '2', '3', 'A', 'T', '17'))}"
        case 3:
            return f"(x: {tensor(random)}, {random.choice('yx')}: {tensor(random)})"
        case 4:
            return "()"
        case _:
            return tensor(random)


def argument(random: Random, depth: int) -> str:
    """A static argument of any sort."""
    match random.randrange(13):
        case 0 | 1 | 2:
            return random.choice(("0", "1", "2", "3", "4", "5", "7", "-1", "0.5", "1.5", "8"))
        case 3:
            return corpus.number(random)
        case 4 | 5:
            return size(random)
        case 6:
            return random.choice(("true", "false"))
        case 7:
            return f'"{random.choice(PATTERNS if random.random() < 0.6 else WORDS)}"'
        case 8:
            return f"[{', '.join(argument(random, 0) for _ in range(random.choice((0, 1, 2, 2, 3, 5))))}]"
        case 9:
            return f"{random.choice((*DIMS, 'K', 'N'))}: {size(random)}"
        case 10:
            return (
                f"[{size(random)} for i in range({random.choice(('3', '0', 'A', 'T', '10^9', '-1', '1.5', '4, 2'))})]"
            )
        case _:
            return expression(random, depth - 1) if depth > 0 else random.choice(UNARY)


def call(random: Random, depth: int) -> str:
    """An entry with axes, arguments, plugs, any of which may be missing or wrong."""
    name = (
        random.choice(corpus.entries())
        if random.random() < 0.8
        else random.choice(("repeat", "iterate", "chain", "map", "each", "as"))
    )
    out = name
    if random.random() < 0.5:
        axes = [random.choice((*DIMS, "..", "K: 3", "A -> K", "(H, W) -> N", "T -> T'", "K", size(random), "..S")) for _ in range(random.choice((1, 1, 1, 2, 3)))]  # fmt: skip
        out += f"[{', '.join(axes)}]"
    if random.random() < 0.75:
        known = parameters(name)
        given = []
        for _ in range(random.choice((0, 1, 1, 2, 2, 3, 4))):
            value = argument(random, depth)
            keyword = random.random() < 0.4 and (known or random.random() < 0.1)
            given.append(f"{random.choice(known or ('p',))} = {value}" if keyword else value)
        out += f"({', '.join(given)})"
    if random.random() < 0.08:
        plug = random.choice(
            (
                "x",
                "weight = x",
                "**: frozen",
                "ones",
                "bias = zeros",
                "weight: x => x",
                "q.weight = x",
                "{q, v}.weight = x",
            )
        )
        out += "{" + plug + "}"
    return out


def expression(random: Random, depth: int) -> str:
    """A morphism."""
    if depth <= 0:
        return random.choice(UNARY) if random.random() < 0.5 else call(random, 0)

    def e() -> str:
        return expression(random, depth - 1)

    match random.randrange(20):
        case 0 | 1 | 2 | 3:
            return f"{e()} >> {e()}"
        case 4:
            return f"({e()}) @ ({e()})"
        case 5:
            return f"({e()}) & ({e()})"
        case 6:
            return f"(x => {wire(random, depth)})"
        case 7:
            return f"((x, y) => {wire(random, depth)})"
        case 8:
            body = "\n".join(random.choice((f"y = x >> {e()}", f"z, w = ({e()})(x, x)", f"box b = {e()}", f"param p : {tensor(random)} ~ normal(0, 1)", "x >> discard", "x = y", f"{wire(random, 1)}")) for _ in range(random.randrange(1, 4)))  # fmt: skip
            return f"(x => {{\n{body}\n{wire(random, depth)}\n}})"
        case 9:
            return f"repeat({argument(random, 0)}, {random.choice(('', 'tied ', 'fresh '))}({e()}))"
        case 10:
            return f"iterate({argument(random, 0)}, {random.choice(('', 'tied ', 'fresh '))}({e()}))"
        case 11:
            return f"{random.choice(('map', 'each'))}[{random.choice(DIMS)}]({random.choice(('', 'tied ', 'fresh '))}({e()}))"
        case 12:
            return f"chain([{e()} for i in {random.choice(('range(3)', '[1, 2]', 'range(T)', '[]', '[(1, 2)]'))}])"
        case 13:
            return f"(if {argument(random, 0)} {random.choice(('==', '<', '>=', '!='))} {argument(random, 0)} then {e()} else {e()})"
        case 14:
            return f"({random.choice('abx')}: {e()})"
        case 15:
            return f"residual({e()})"
        case _:
            return call(random, depth)


def wire(random: Random, depth: int) -> str:
    """Something computed from the wires x and y."""
    if depth <= 0:
        return random.choice(("x", "x", "y", "1", "0.5", "T", "true"))
    match random.randrange(9):
        case 0 | 1:
            sign = random.choice(("+", "-", "*", "/", "^", "==", "<", "//"))
            return f"({wire(random, depth - 1)} {sign} {wire(random, depth - 1)})"
        case 2:
            return f"over[{', '.join(random.choice(DIMS) for _ in range(random.randrange(1, 4)))}]({wire(random, depth - 1)})"
        case 3:
            return f"(x, {wire(random, depth - 1)})"
        case 4:
            return f"contract[{random.choice(DIMS)}](x, {wire(random, depth - 1)})"
        case 5:
            return f"({call(random, depth - 1)})({wire(random, depth - 1)})"
        case _:
            return f"({wire(random, depth - 1)} >> {expression(random, depth - 1)})"


def called(random: Random) -> bytes:
    """A file of a few morphisms made of calls."""
    lines = [HEAD + random.choice(FACTS) + "morphism residual[X](tied f : X -> X) : X -> X = x => x + (x >> f)"]
    for number in range(random.choice((1, 1, 1, 2, 3))):
        depth = random.choice((0, 1, 1, 2, 2, 3))
        body = expression(random, depth)
        match random.randrange(6):
            case 0:
                lines.append(f"morphism m{number} : {type_of(random)} -> {type_of(random)} = {body}")
            case 1:
                lines.append(f"morphism m{number} : {tensor(random)} -> Real = {body} >> sum[..]")
            case 2:
                lines.append(f"morphism m{number} = {body}")
            case 3:
                lines.append(f"morphism m{number}[..S, X](n) : {type_of(random)} ~> {type_of(random)} = {body}")
            case _:
                lines.append(f"morphism m{number} : {type_of(random)} -> () = {body} >> discard")
    return ("\n".join(lines) + "\n").encode()
