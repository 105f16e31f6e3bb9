# ruff: noqa: E501  (lines of specs)
"""Random steps that keep the type of one tensor of reals: `ENDO`."""

from __future__ import annotations

from tests.laws.generate import Gen, Step, endo
from tests.laws.shapes import Ax, Product, Ten, Text, seq
from tests.laws.steps_common import atom, labelled, last, more_than_one, same

PLAIN = (
    "tanh", "sin", "gelu", "relu", "silu", "atan", "mish", "dropout(0.3)", "elu", "prelu", "softsign",
    "leaky_relu(0.2)", "hardtanh", "id", "neg", "stop_gradient",
)  # fmt: skip
SPECIAL = ("sigmoid", "softplus", "square", "abs")
"""Their results have a kind of their own, which a morphism argument `X -> X` would have to keep."""


def pointwise(g: Gen, start: Product, fuel: int) -> tuple[Text, Product]:
    name = str(g.pick(*PLAIN, *SPECIAL))
    return Text(f"{name} >> tanh", 1) if name in SPECIAL else atom(name), start


def lambdas(g: Gen, start: Product, fuel: int) -> tuple[Text, Product]:
    bodies = (
        "x => x + x",
        "x => 0.5 * x - 1",
        "x => x * tanh(x)",
        "(x) => where(x > 0.25, x, -x / 3)",
        "x => (x - 2) / (1 + x * x)",
        "x => maximum(x, minimum(0.5, -x))",
        "x => { y = x >> tanh\n    y * x ^ 2 }",
        "x => -(x + 1) * (x - (1 - x))",
        "x => straight_through(x, sign(x)) + x",
    )
    return Text(str(g.pick(*bodies)), 0), start


def norms(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    if not start[0].axes:
        return None
    final = start[0].axes[-1]
    place = labelled(g, start[0], fixed=True)
    on, target = ("", final)
    if place is not None and g.chance():
        target = start[0].axes[place]
        on = f"[{target.label}]"
    elif not g.weighs(final):
        on = f"[{final.label}]"
    if not target.fixed:
        return same(f"layernorm{on}(eps = 0.1, affine = false)", start)
    if g.defaults and g.chance(4):
        g.defaults = 0
        return same(f"layernorm{on}", start)
    return same(f"{g.pick('layernorm', 'rmsnorm')}{on}(eps = 0.1{g.pick('', ', affine = false')})", start)


def groups(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    if not start[0].axes or not start[0].axes[0].fixed:
        return None
    n = start[0].axes[0].least
    divisors = [k for k in range(1, n) if n % k == 0]
    options = ["batchnorm"]
    if divisors:
        options.append(f"groupnorm({g.pick(*divisors)}, eps = 0.1)")
    if len(start[0].axes) > 1 and start[0].axes[1].least > 1:
        options.append("instancenorm(eps = 0.1, affine = true)")
    return same(str(g.pick(*options)), start)


def mixing(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    place = labelled(g, start[0])
    if place is None:
        return None
    a = start[0].axes[place]
    options = [
        f"softmax[{a.label}] >> tanh",
        f"cumsum[{a.label}]",
        f"reverse[{a.label}]",
        f"log_softmax[{a.label}] >> tanh",
    ]
    options += [
        f"roll[{a.label}](1)",
        f"shift[{a.label}](-1)",
        f"shift[{a.label}](2, value = 0.5)",
        f"roll[{a.label}](-2)",
    ]
    options += [f"cummax[{a.label}]", f"normalize[{a.label}](eps = 0.5)"]
    if a.least < 2:
        options = options[:4]
    return Text(str(g.pick(*options)), 1), start


def linear_back(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    place = labelled(g, start[0], fixed=True)
    if place is None:
        return None
    a = start[0].axes[place]
    on = "" if place == len(start[0].axes) - 1 and g.chance() else f"[{a.label}]"
    return same(f"linear{on}({a.text}{g.pick('', ', bias = false')})", start)


def up_down(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    a = last(start)
    if a is None or not a.fixed or not fuel:
        return None
    hidden = Ten((*start[0].axes[:-1], Ax(None, str(g.number(1, 5)))))
    middle = endo(g, hidden, fuel - 1)
    return seq([atom(f"linear({hidden.axes[-1].size})"), middle, atom(f"linear({a.text})")]), start


def higher(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    if not fuel:
        return None
    name = str(
        g.pick(
            "residual",
            "both",
            "again",
            "anew",
            "repeat",
            "repeat0",
            "iterate",
            "permuted",
            "chain",
            "rows",
            "named",
        )
    )
    t = start[0]
    if name == "rows":
        if not t.named or not t.axes:
            return None
        return atom(f"{g.helper('rows')}({endo(g, t, fuel - 1).text})"), start
    if name == "permuted":
        if len(t.axes) < 2 or not t.named:
            return None
        order = list(t.labels)
        turned = [*order[1:], order[0]]
        inner = endo(g, Ten((*t.axes[1:], t.axes[0])), fuel - 1)
        return seq([atom(f"permute[{', '.join(turned)}]"), inner, atom(f"permute[{', '.join(order)}]")]), start
    f = more_than_one(endo(g, t, fuel - 1))
    match name:
        case "residual":
            return atom(f"{g.helper('residual')}({f.text})"), start
        case "both":
            return atom(f"{g.helper('both')}({f.text}, {endo(g, t, fuel - 1).text})"), start
        case "again":
            return atom(f"{g.helper('again')}(tied {f.within(2)})"), start
        case "anew":
            return atom(f"{g.helper('anew')}(fresh {f.within(2)})"), start
        case "repeat":
            return atom(f"repeat({g.number(1, 3)}, {f.text})"), start
        case "repeat0":
            return atom(f"repeat({g.number(0, 2)}, fresh {f.within(2)})"), start
        case "iterate":
            return atom(f"iterate({g.number(1, 3)}, tied {f.within(2)})"), start
        case "chain":
            return atom(f"chain([{f.within(1)} >> {g.helper('scaled')}(k) for k in [1, 2]])"), start
        case _:
            name = g.word("m")
            g.decls.append(f"morphism {name} : {t.text} -> {t.text} = {f.text}")
            return atom(name), start


def chosen(g: Gen, start: Product, fuel: int) -> tuple[Text, Product]:
    """A branch by a static argument."""
    return same(f"{g.helper('choice')}({g.number(0, 2)})", start)


def unfolded(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """Equations; their `k` is the axis of a dim."""
    a = last(start)
    if a is None or not a.fixed or a.text != a.label:
        return None
    return same(f"{g.helper('tower')}({g.number(0, 2)}, {a.text})", start)


def mapped(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if not fuel or not t.axes or t.axes[0].label is None:
        return None
    lead, inner = t.axes[0], Ten(t.axes[1:])
    f = more_than_one(endo(g, inner, fuel - 1))
    if lead.fixed and g.chance():
        return atom(f"each[{lead.text}](fresh {f.within(2)})"), start
    return atom(f"map[{lead.text}](tied {f.within(2)})"), start


def shared(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """A declared parameter in two layers."""
    a = last(start)
    if a is None or not a.fixed or a.label is None:
        return None
    w = g.word("w")
    g.decls.append(f"param {w} : Real[{a.size}, {a.size}] ~ normal(0, 1)")
    plugs = f"weight = {w}"
    if g.chance():
        b = g.word("b")
        g.decls.append(f"param {b} : Real[{a.text}] ~ normal(0, 1)")
        plugs += f", bias = {b}"
    one = f"linear({a.text}){{{plugs}}}"
    return Text(
        str(g.pick(one, f"{one} >> tanh >> {one}", f"{one} >> repeat(2, {one})", f"iterate(2, {one} >> tanh)")), 1
    ), start


def plugged(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """A morphism of its own whose leaves become something else, alone or where it is used many times."""
    layer = linear_back(g, start, fuel)
    if layer is None or not fuel:
        return None
    name = g.word("m")
    body = seq([layer[0], endo(g, start[0], fuel - 1)])
    g.decls.append(f"morphism {name} : {start[0].text} -> {start[0].text} = {body.text}")
    path = g.pick("**", "**.weight")
    step = g.pick("tanh", "w => 0.5 * w", g.helper("gate"), "tanh >> gate", "frozen", "w => w")
    whole = g.pick(name, f"repeat(2, {name})", f"iterate(2, {name})")
    return atom(f"{whole}{{{path}: {step}}}"), start


def parameter_wire(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    """A declared parameter used as a wire, spread over the axes."""
    t = start[0]
    place = labelled(g, t, fixed=True)
    if place is None or not t.named:
        return None
    a = t.axes[place]
    w = g.word("w")
    g.decls.append(f"param {w} : Real[{a.text}] ~ normal(0, 1)")
    rows = ", ".join(t.labels)
    return Text(str(g.pick(f"x => over[{rows}](x + {w})", f"x => over[{rows}](x * ({w} >> tanh) - {w})")), 0), start


def positioned(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if len(t.axes) < 2 or not t.axes[-1].fixed or t.axes[-2].label is None:
        return None
    if "T" in t.labels and t.axes[-2].label != "T":
        return None  # where there is a time, places are along it
    options = (
        [f"sinusoidal({g.pick('', 'base = 100')})", 'rotary("half")', 'rotary("interleaved")']
        if t.axes[-1].least % 2 == 0
        else []
    )
    if t.axes[-2].fixed:
        options.append("positions(40)")
    return same(str(g.pick(*options)).replace("()", ""), start) if options else None


def attention(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if len(t.axes) < 2 or t.axes[-1].label is None or t.axes[-2].label is None or not t.axes[-1].fixed:
        return None
    d = t.axes[-1]
    ordered = "T" not in t.labels or t.axes[-2].label == "T"  # the time, where there is one, is what has an order
    causal = ["(causal = true)"] if ordered else []
    extra = str(g.pick("", *causal, "(window = 2)", "(softcap = 3, scale = 0.5)"))
    if d.least % 2 == 0 and len(t.axes) == 2 and g.chance():
        split = 'rearrange("t (h d) -> h t d", h = 2)'
        return Text(
            f"x => {{\n    q, k, v = x >> linear(3 * {d.size}) >> split(3)\n    box heads = {split}\n"
            f'    (q = q >> heads, k = k >> heads, v = v >> heads) >> attend{extra} >> rearrange("h t d -> t (h d)") >> linear({d.text}) }}',
            0,
        ), start
    return Text(f"x => (q = x >> linear({d.text}), k = x >> tanh, v = x) >> attend{extra}", 0), start


def convolution(g: Gen, start: Product, fuel: int) -> tuple[Text, Product] | None:
    t = start[0]
    if len(t.axes) < 2 or not t.axes[-2].fixed or t.axes[-2].label is None or t.axes[-1].label is None:
        return None
    if not g.slides(t.axes[-1]):
        return None
    c = t.axes[-2]
    kernel = g.number(1, 3)
    return same(
        f"conv1d({c.text}, {kernel}, padding = {g.pick(chr(34) + 'same' + chr(34), chr(34) + 'causal' + chr(34))})",
        start,
    )


ENDO: list[Step] = [
    pointwise, lambdas, linear_back, higher, chosen, unfolded, norms, groups, mixing, up_down, mapped, shared,
    plugged, parameter_wire, positioned, attention, convolution,
]  # fmt: skip
