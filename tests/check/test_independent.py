"""A text with k independent mistakes reports exactly those, in source order, syntax errors among them.

Between declarations: the wrong specs of `cases/` and `../bugs`, names made apart, one after the other in one file.
Warnings are for what has no mistakes: beside mistakes none is told, and without them each.
Inside a declaration: statements, legs, steps after an error; `# E0101 E0303` ends each line at fault.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from catdl.diagnostics.text import render
from catdl.driver import loads
from tests.check.test_goldens import WRONG, checked, found, marks

DECLARED = re.compile(
    r"^(?:extern )?(?:kind|object|functor|(?:co)?algebra|group|monoid|law|learner|morphism|param|hom) +(\w+)"
    r"|^dim +(.*)",
    re.MULTILINE,
)
DIM = re.compile(r"(?:^|,)\s*(\w+)(?=[^()\[\]]*(?:[(\[][^()\[\]]*[)\]][^()\[\]]*)*(?:,|$))")
WORD = re.compile(r"\b[A-Za-z_]\w*")
TEXT = re.compile(r'("[^"\n]*")')


def names(text: str) -> set[str]:
    """The names that a spec declares."""
    out: set[str] = set()
    for name, dims in DECLARED.findall(re.sub("#.*", "", text)):
        out |= {name} if name else set(DIM.findall(dims.strip()))
    return out


def apart(text: str, suffix: str) -> str:
    """The same spec with other names: patterns in quotes and comments stay what they are."""
    mine = names(text)

    def renamed(word: re.Match[str]) -> str:
        return word[0] + suffix if word[0] in mine else word[0]

    lines = []
    for line in text.split("\n"):
        code, sign, comment = line.partition("#")
        pieces = [p if p.startswith('"') else WORD.sub(renamed, p) for p in TEXT.split(code)]
        lines.append("".join(pieces) + sign + comment)
    return "\n".join(lines)


def alike(path: Path) -> bool:
    """Whether a spec stays what it is under other names and beside others.

    An import brings names that are not its own, and a limit (E08) stops the work on all that stands beside.
    """
    text = path.read_text(encoding="utf-8")
    codes = [code for _, code in marks(text)]
    if not codes or re.search("^from ", text, re.MULTILINE) or any(code.startswith("E08") for code in codes):
        return False
    return sorted(found(checked(path, apart(text, "_a")))) == sorted(marks(text))


def wanted(text: str) -> list[tuple[int, str]]:
    """The marks that count: those of warnings only where no mistake is marked."""
    mistakes = [(line, code) for line, code in marks(text) if code.startswith("E")]
    return mistakes or marks(text)


SPECS = [path for path in WRONG if alike(path)]
WARNED = [path for path in SPECS if not any(code.startswith("E") for _, code in marks(path.read_text("utf-8")))]


def test_nearly_all_specs_take_part() -> None:
    assert len(SPECS) >= 0.9 * len(WRONG), sorted(p.stem for p in set(WRONG) - set(SPECS))
    assert WARNED


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("count", [5, 60])
@pytest.mark.parametrize("paths", [SPECS, WARNED], ids=["all", "warnings"])
def test_between_declarations(paths: list[Path], count: int, seed: int) -> None:
    specs = random.Random(seed).sample(paths, len(paths))
    for start in range(0, len(specs), count):
        chosen = specs[start : start + count]
        text = "".join(apart(p.read_text(encoding="utf-8"), f"_{i}").rstrip("\n") + "\n" for i, p in enumerate(chosen))
        spec = checked(Path("many.cat"), text)
        assert sorted(found(spec)) == sorted(wanted(text)), [p.stem for p in chosen]
        assert [line for line, _ in found(spec)] == sorted(line for line, _ in wanted(text))


HEAD = """\
dim D = 8, A = 2, B = 3
dim T, U
morphism takes : Real[A] -> Real[A] = relu
morphism pair : Real[A] @ Real[B] -> Real[D] = (a, b) => (a >> linear(D)) + (b >> linear(D))
morphism residual[X](f : X -> X) : X -> X = x => x + (x >> f)
"""
F = "morphism f : Real[D] -> Real[D] = "
INSIDE = {
    "statements": F
    + """x => {
    a = linera(x)  # E0101
    b = x >> sum[T]  # E0303
    c = x >> linear(5) >> takes  # E0301
    d = relu(y)  # E0101
    e = x >> linear(D, bais = true)  # E0201
    x + a + b + c + d + e
}""",
    "statements after an error": F
    + """x => {
    a = linera(x)  # E0101
    b = a >> relu >> tahn  # E0101
    c = b >> linear(bais = 3)  # E0201
    d = c >> takes
    d + (x >> takes)  # E0301
}""",
    "a statement that cannot be read": F
    + """x => {
    a = x >> >> relu  # E0001
    b = x >> tahn  # E0101
    c = relu(y)  # E0101
    d = relu(x)  # E0501
    a + b + c
}""",
    "wires of a block": F
    + """x => {
    a = relu(x)  # E0501
    b = x >> tahn  # E0101
    b
}""",
    "boxes": F
    + """x => {
    box g = linera(D)  # E0101
    box h = linear(D) >> tahn  # E0101
    (x >> g) + (x >> h)
}""",
    "parameters of a block": F
    + """x => {
    param w : Real[Q]  # E0101
    param v : Real[D] ~ nromal(0, 1)  # E0101
    x * w * v + y  # E0101
}""",
    "parts": F
    + """x => {
    a, b, c = x >> split(3)  # E0207
    d, e = x >> linear(9) >> split(2)  # E0207
    a + b + c + d + e
}""",
    "steps": F + "linera(D) >> relu >> tahn >> linear(bais = 2)  # E0101 E0101 E0201",
    "steps with morphisms": F + "linera(D) >> residual(tahn) >> repeat(3, sofmax)  # E0101 E0101 E0101",
    "steps with patterns": F + 'linera >> rearrange("t ((d -> d t")  # E0101 E0310',
    "steps with a choice": F + "linera >> (if D == 8 then tahn else relu)  # E0101 E0101",
    "steps with a plug": F + "linera >> linear{weight = ww} >> tahn  # E0101 E0101 E0101",
    "steps with a lambda": F + "takes >> tahn >> (y => y + z)  # E0301 E0101 E0101",
    "steps over an axis": "morphism f : Real[T, D] -> Real[T, D] = linera >> map[T](tahn)  # E0101 E0101",
    "legs": F.replace("Real[D] ->", "Real[D] @ Real[A] ->") + "linera @ tahn  # E0101 E0101",
    "legs of types": F.replace("Real[D] ->", "Real[D] @ Real[B] @ Real[D] ->")
    + "takes @ takes @ softmax[T]  # E0301 E0301 E0303",
    "legs of a fan": F + "linera & tahn & takes  # E0101 E0101 E0301",
    "arguments": F + "x => pair(x, x)  # E0301 E0301",
    "arguments in each other's place": F.replace("Real[D] ->", "Real[A] @ Real[B] ->")
    + "(a, b) => pair(b, a)  # E0301",
    "operands": F + "x => y + z + x  # E0101 E0101",
    "a tuple": F + "x => (y, x, z) >> pair  # E0101 E0101",
    "both sides of a signature, and the body": "morphism f : Reel[D] -> Real[Z] @ Rael = tanhh"
    "  # E0101 E0101 E0101 E0101",
    "a declaration and its uses": """\
object S = Real[Q]  # E0101
param p : S
morphism f : S -> S = tahn  # E0101
morphism g : S -> Real[D] = f >> sofmax  # E0101
morphism h : Real[D] -> Real[D] = x => x + p + (x >> f) + q  # E0101""",
    "a dim and its uses": """\
dim E = Q + 1  # E0101
morphism f : Real[E] -> Real[E] = linear(E) >> tahn  # E0101
morphism g : Real[D] -> Real[D] = linear(E) >> takes >> linear(D)""",
    "a template and its uses": """\
morphism stage(n) = linear(n) >> tahn  # E0101
morphism f : Real[D] -> Real[D] = stage(4) >> stage(D) >> sofmax  # E0101""",
    "templates that nothing uses": """\
morphism a(n) = linear(n) >> tahn  # E0101
morphism b(0, f) = sofmax  # E0101
morphism b(n, f) = b(n - 1, f) >> f >> repeat(n - 1, f) >> chain([linear(c) for c in [n, 2]]) >> reul  # E0101
morphism c(n) : Real[D] -> Real[n] = linear(n) >> tanhh  # E0101
morphism d[..S, A](f : Real[A] -> Real[A]) : Real[..S, A] -> Real[..S, Q] = f >> gleu  # E0101 E0101
morphism e(n) : Real[Q] -> Real[n] = linear(n)  # E0101
morphism f : Real[D] -> Real[D] = a(D) >> b(2, relu) >> c(D)
morphism g : Real[D] -> Real[D] = e(D)""",
    "an algebra and its uses": """\
functor L(X) = () + Real[A] @ X
algebra cell : L(Real[B]) -> Real[B] = [ zeros | (a, h) => tanh((a >> liner) + h) ]  # E0101
morphism f : Real[T, A] -> Real[T, D] = scan[T](cell)  # E0301
morphism g : Real[T, A] -> Real[D] = fold[T](cell)  # E0301
morphism h : Real[T, D] -> Real[B] = fold[T](cell)  # E0301""",
    "legs of a fold": """\
object S = Real[A]
morphism f : Real[T, A] -> Real[D] = fold[T]([ zros | (a, h) => tahn(a) + h ])  # E0101 E0101
morphism g : Real[T, A] -> Real[D] = fold[T]([ zros | (a, h) => tahn(a) + h ], carrier = S)  # E0101 E0101 E0301""",
    "what recursions are told by name": """\
object S = Real[A]
morphism f : Real[T, A] -> Reel[A] = fold[T]([ zeros | add ], carrier = Real[A], reverse = true)  # E0101
morphism g : Real[T, A] -> Reel[A] = scan[T]([ zeros | add ], carrier = State)  # E0101 E0101
morphism h : Real[T, A] -> Reel[A] = scan0[T]([ zeros | add ], carier = S)  # E0101 E0201
morphism i : Real[T, A] -> Reel[A] = mealy[T](copy, last = true)  # E0101
morphism j : Real[A] -> Reel[A] = unfold[T](copy, until = tahn)  # E0101 E0101""",
    "legs after an error": """\
functor E(X) = Fin(10) + X @ X
functor M(X) = () + Real[Q] @ X  # E0101
algebra one : M(Real[A]) -> Real[A] = [ zros | (a, h) => a + tahn(h) ]  # E0101 E0101
algebra two : E(Real[A]) -> Real[B] = [ embde(10) | (a, b) => tahn(a) + b ]  # E0508 E0101 E0101
morphism f : Real[T, A] -> Real[A] = linera >> fold[T]([ zros | (a, h) => tahn(a) ])  # E0101 E0101 E0101
morphism g : Real[A] @ Real[B] -> Real[A] @ Real[B] = swpa >> (tahn @ sofmax)  # E0101 E0101 E0101
hom h = tahn  # E1008 E0101""",
    "what needs a knot": """\
morphism a : Real[D] -> Real[D] = a >> tahn  # E0107 E0101
morphism b : Real[D] -> Real[D] = a >> sofmax  # E0101
morphism c : Real[D] -> Real[D] = b >> takes  # E0301
dim X = X  # E0107
dim Y = X + Q + R  # E0101 E0101
morphism e : Real[Y] -> Real[D] = tanhh  # E0101""",
    "the parts of a machine": """\
morphism f : Real[B] @ Real[T, A] -> Real[T, B] = moore[T](tahn, (h, a) => h + (a >> linearr))  # E0101 E0101
morphism g : Real[B] -> Real[T, B] = unfold[T](s => (tahn(s), s), until = sofmax)  # E0101 E0101""",
    "what is repeated": """\
morphism g : Real[D] -> Real[D] = repeat(-1, tahn)  # E0204 E0101
morphism h : Real[D] -> Real[D] = iterate(3, fresh (linear(D) >> tahn))  # E0208 E0101
morphism i : Real[T, D] -> Real[T, A] = map[T](fresh linear(D))  # E0208 E0301
morphism j : Real[D] -> Real[D] = repeat(2, tied linear(D)) >> linear(A)  # E0208 E0301""",
    "states": F
    + """x => {
    state h : Real[D] = zeros
    state k : Real[D] = zeros  # E0703
    state m : Real[D] = zeros  # E0704
    h <- tanh((x >> linear) + (h >> linear(bias = flase)))  # E0101
    m <- x
    h + y  # E0101
}""",
    "legs of a fold over trees": """\
functor E(X) = Fin(10) + X @ X
morphism f : mu(E) -> Real[D] = fold([ embde(10) | (a, b) => tahn(a) + b ])  # E0101 E0101
morphism g : mu(E) -> Real[D] = fold([ embed(A) | (a, b) => tahn(a) + b ])  # E0101 E0301
morphism h : mu(E) -> Real[D] = fold([ embde(10) | (a, b) => a + b ], carrier = Real[A])  # E0101 E0301""",
    "a template and its result": """\
morphism f : Real[A] -> Real[D] = residual(tahn)  # E0101 E0301""",
    "the sides of a law": """\
law l : Real[A] -> Real[A] = relu >> tahn == linear(A, bais = true) >> sofmax  # E0101 E0201 E0101
law m(f : Real[A] -> Real[Q]) : f == f >> tahn  # E0101 E0101""",
    "a size that nothing determines": F
    + """x => {
    a = x >> linear >> sum[..]  # E0306
    over[D](x * a) + y  # E0101
}""",
    "a size that the error hides from nothing else": F
    + """x => {
    x >> linear >> tahn >> discard  # E0101
    a = x >> linear >> tahn  # E0101
    x
}""",
    "a size that the error hides": F
    + """x => {
    a = x >> linear >> tahn  # E0101
    a + x
}""",
    "a size that nothing determines, and a result": F
    + """x => {
    a = x >> linear >> sum[..]  # E0306
    over[D](x * a) >> linear(9)  # E0301
}""",
}
EXPECTED = re.compile(r"\bE\d{4}\b")


@pytest.mark.parametrize("name", INSIDE)
def test_inside_a_declaration(name: str) -> None:
    text = f"{HEAD}{INSIDE[name]}\n"
    wanted = [
        (number, code)
        for number, line in enumerate(text.splitlines(), 1)
        for code in EXPECTED.findall(line.partition("#")[2])
    ]
    spec = loads(text, path="m.cat")
    assert sorted(found(spec)) == sorted(wanted), "\n" + render(spec.diagnostics)
