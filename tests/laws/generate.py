# ruff: noqa: E501  (lines of specs)
"""Random well-typed specs, made from the type at hand: `well_typed()`.

dim A = 2, …
morphism residual[X](f : X -> X) : X -> X = x => x + (x >> f)
morphism f : Real[T, D] -> Real[T, 3] = residual(layernorm) >> linear(3)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.laws.shapes import DIMS, FIXED, FREE, LEAST, Ax, Product, Ten, Text, own, seq, show


@dataclass
class Spec:
    """A spec, its root `f`, and sizes for its free dims."""

    decls: list[str]
    dims: dict[str, int]

    @property
    def text(self) -> str:
        """The file."""
        return DIMS + "\n".join(self.decls) + "\n"

    def __repr__(self) -> str:
        return f"{self.dims}\n{self.text}"


HELPERS = {
    "residual": "morphism residual[X](f : X -> X) : X -> X = x => x + (x >> f)",
    "both": "morphism both[X, Y](f : X -> Y, g : X -> Y) : X -> Y = x => (x >> f) * (x >> g)",
    "again": "morphism again[X](tied f : X -> X) : X -> X = f >> tanh >> f",
    "anew": "morphism anew[X](fresh f : X -> X) : X -> X = f >> f",
    "rows": "morphism rows[..S, A](f : Real[..S, A] -> Real[..S, A]) : Real[..S, A] -> Real[..S, A] = x => over[..S, A]((x >> f) + mean[A](x))",
    "tower": "morphism tower(0, k) = id\nmorphism tower(n, k) = x => x + (x >> pre: tanh >> linear(k) >> post: tower(n - 1, k))",
    "choice": "morphism choice(k) = if k == 1 then tanh else if k > 1 then sin >> scaled(k) else cos",
    "gate": "morphism gate[..S] : Real[..S] -> Real[..S] = w => {\n    param g : Real[..S] ~ ones\n    w * g\n}",
    "scaled": "morphism scaled(k) = x => x * k / 2",
}
NEEDS = {"choice": ("scaled",)}


@dataclass
class Gen:
    """The state of one generation."""

    draw: Callable[[st.SearchStrategy[object]], object]
    decls: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    count: int = 0
    defaults: int = 1  # norms with the small default epsilon, which magnify rounding
    sizes: list[Ax] = field(default_factory=list)
    places: set[str] = field(default_factory=set)  # the axes that a convolution slides over
    features: set[str] = field(default_factory=set)  # those that a norm weighs without naming them

    def slides(self, *axes: Ax) -> bool:
        """Whether a convolution may slide over these axes: not where a norm that names none has a weight for each place."""
        labels = {a.label for a in axes if a.label is not None}
        free = not labels & self.features
        self.places |= labels if free else set()
        return free

    def weighs(self, axis: Ax) -> bool:
        """Whether a norm that names no axis may act on this one: not where a convolution slides over it."""
        free = axis.label not in self.places
        self.features |= {axis.label} if free and axis.label is not None else set()
        return free

    def pick(self, *items: object) -> object:
        """One of the items, the first being the simplest."""
        return self.draw(st.sampled_from(items))

    def number(self, low: int, high: int) -> int:
        """A number from low to high."""
        value = self.draw(st.integers(low, high))
        assert isinstance(value, int)
        return value

    def chance(self, of: int = 2) -> bool:
        """True one time in so many; False is simpler."""
        return self.number(0, of - 1) == of - 1

    def word(self, prefix: str) -> str:
        """A name not used before."""
        self.count += 1
        return f"{prefix}{self.count}"

    def helper(self, name: str) -> str:
        """Declare a higher-order morphism of the list above."""
        for one in (*NEEDS.get(name, ()), name):
            if one not in self.helpers:
                self.helpers.append(one)
                self.decls.append(HELPERS[one])
        return name


Step = Callable[[Gen, Product, int], "tuple[Text, Product] | None"]


def chain(g: Gen, start: Product, fuel: int, length: int) -> tuple[Text, Product]:
    """A composition of random steps."""
    steps: list[Text] = []
    now = start
    for _ in range(length):
        text, now = step(g, now, fuel)
        steps.append(text)
    return seq(steps), now


def step(g: Gen, start: Product, fuel: int) -> tuple[Text, Product]:
    """One random step from a type."""
    from tests.laws.steps_endo import ENDO
    from tests.laws.steps_index import INDEX
    from tests.laws.steps_product import PRODUCT
    from tests.laws.steps_tensor import TENSOR
    from tests.laws.steps_wired import WIRED

    if len(start) != 1:
        table = [*PRODUCT, *(WIRED if fuel else [])]
    elif start[0].fin is not None:
        table = INDEX
    else:
        table = [*ENDO, *TENSOR, *(WIRED if fuel else [])]
    first = g.number(0, len(table) - 1)
    for k in range(len(table)):
        made = table[(first + k) % len(table)](g, start, fuel)
        if made is not None and sum(t.elements() for t in made[1]) <= 400 and len(made[1]) <= 4:
            text, after = made
            # A name on a step must not swallow the rest of it.
            if text.level == 3 and text.text.isidentifier() is False and g.chance(8):
                return Text(f"({g.word('n')}: {text.text})", 3), after
            return made
    return Text("id", 3), start


def endo(g: Gen, tensor: Ten, fuel: int) -> Text:
    """A composition from a tensor type to itself."""
    from tests.laws.steps_endo import ENDO

    steps: list[Text] = []
    for _ in range(g.number(1, 2)):
        first = g.number(0, len(ENDO) - 1)
        for k in range(len(ENDO)):
            made = ENDO[(first + k) % len(ENDO)](g, (tensor,), fuel)
            if made is not None:
                steps.append(made[0])
                break
    return seq(steps)


def axis(g: Gen, used: tuple[str, ...], free: bool = True) -> Ax:
    """A random axis whose label is not in use."""
    options: list[Ax] = [own(d) for d in FIXED if d not in used]
    if free:
        options += [own(d) for d in FREE if d not in used]
        options += [Ax("T", "T + 1"), Ax("U", "2 * U")] if not {"T", "U"} & set(used) else []
    options += [Ax(name, size) for name, size in (("K", "4"), ("H", "5"), ("W", "8")) if name not in used]
    options.append(Ax(None, str(g.number(1, 4))))
    found = g.pick(*options)
    assert isinstance(found, Ax)
    return found


def tensor(g: Gen, ranks: tuple[int, ...] = (1, 2, 3, 0)) -> Ten:
    """A random tensor type."""
    axes: list[Ax] = []
    rank = g.pick(*ranks)
    assert isinstance(rank, int)
    for _ in range(rank):
        axes.append(axis(g, tuple(a.label for a in axes if a.label)))
    return Ten(tuple(axes))


@st.composite
def well_typed(draw: Callable[[st.SearchStrategy[object]], object]) -> Spec:
    """A spec that checks, with a root `f`, and sizes of its free dims."""
    g = Gen(draw)
    dims = {name: g.number(LEAST, LEAST + 2) for name in FREE}
    domain = tuple(tensor(g) for _ in range(int(g.pick(1, 1, 2))))  # type: ignore[call-overload]
    if g.chance(5):
        index = Ten(tuple(axis(g, ()) for _ in range(g.number(0, 1))), str(g.pick("C", "5", "D")))
        domain = (*domain[:1], index)
    body, codomain = chain(g, domain, 2, g.number(2, 6))
    g.decls.append(f"morphism f : {show(domain)} -> {show(codomain)} = {body.text}")
    return Spec(used(g.decls), dims)


def used(decls: list[str]) -> list[str]:
    """The declarations without the parameters of steps that were drawn and then left out."""
    words = Counter(word for decl in decls for word in set(re.findall(r"\w+", decl)))
    return [d for d in decls if not d.startswith("param ") or words[d.split()[1]] > 1]
