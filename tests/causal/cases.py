"""Morphisms along a time `T`, with how far before each step they reach, or the rule that they break.

Half of them read later steps, most in ways that hide. `T'` is the twin of `T`, `S` another time, `D` and `C` channels.
"""

from __future__ import annotations

DIMS = """
dim T : time, S : time, D = 4, C = 3
functor Rows(X) = () + Real[D] @ X
morphism attention : Real[T, D] -> Real[T, D] =
    x => attend(causal = true)(x >> q: linear(D), x >> k: linear(D), x >> v: linear(D))
algebra decay : Rows(Real[D]) -> Real[D] = [ zeros | (a, h) => a + h / 2 ]
"""

SEEN = "y = rename[T -> T'](x)\n s = contract[D](x, y)\n"
ALONG = "Real[T, D] -> Real[T, D]"
ACROSS = "Real[D, T] -> Real[D, T]"

KEPT: list[tuple[int, str, str]] = [
    (0, ALONG, "linear(8) >> relu >> linear"),
    (0, ALONG, "layernorm >> dropout(0.1)"),
    (0, ALONG, "map[T](tied (linear(8) >> tanh >> linear(D)))"),
    (0, ALONG, "positions(50)"),
    (0, ALONG, "sinusoidal >> linear(D)"),
    (0, ALONG, 'rotary(convention = "half")'),
    (0, ALONG, "x => over[T, D](x / (1 + real(index[T])))"),
    (0, ALONG, "cumsum[T]"),
    (0, ALONG, "cummax[T] >> linear(D)"),
    (0, ALONG, "x => logcumsumexp[T](x)"),
    (0, ALONG, "scan[T](decay)"),
    (1, ALONG, "x => shift[T](x)"),
    (3, ALONG, "x => shift[T](2)(x) >> linear(D) >> shift[T](1)"),
    (2, ALONG, "pad[T](3, 0) >> slice[T](1, T + 1)"),
    (1, ALONG, "x => (scan[T](decay)(x) - x) >> shift[T](1)"),
    (0, ALONG, "x => x - (x >> shift[T](1))"),
    (0, ALONG, 'x => x - (x >> pad[T](1, 0, mode = "replicate") >> slice[T](0, T))'),
    (0, ALONG, "x => attend(causal = true)(x >> q: linear(D), x >> k: linear(D), x)"),
    (0, ALONG, "x => attend(causal = true, window = 2)(x, x, x)"),
    (1, ALONG, "x => { y = x >> shift[T](1)\n attend(causal = true)(y, y, y) }"),
    (0, ALONG, "x => { y = rename[T -> T'](x)\n attend(mask = true)(x, y, y, causal_mask[T, T']) }"),
    (0, ALONG, "x => { y = rename[T -> T'](x)\n attend(mask = true)(x, y, y, band_mask[T, T'](2, 0)) }"),
    (0, ALONG, f"x => {{ {SEEN} contract[T'](softmax[T'](where(causal_mask[T, T'], s, -1e9)), y) }}"),
    (
        0,
        ALONG,
        f"x => {{ {SEEN} m = over[T, T'](real(index[T']) > real(index[T]))\n"
        " contract[T'](softmax[T'](masked_fill(-1e9)(s, m)), y) }",
    ),
    (0, ALONG, f"x => {{ {SEEN} contract[T'](tril(s), y) }}"),
    (1, ALONG, f"x => {{ {SEEN.replace('(x, y)', '(x >> shift[T](1), y)')} contract[T'](tril(-1)(s), y) }}"),
    (0, ALONG, f"x => {{ {SEEN} over[T, D](x * sum[T'](tril(s))) }}"),
    (0, ALONG, f"x => {{ {SEEN} m = logsumexp[T'](where(causal_mask[T, T'], s, -1e9))\n over[T, D](x * m) }}"),
    (0, ACROSS, 'conv1d(D, 3, padding = "causal")'),
    (0, ACROSS, 'conv1d(C, 3, padding = "causal", dilation = 2) >> relu >> conv1d(D, 2, padding = "causal")'),
    (0, ACROSS, "pad[T](2, 2) >> conv1d(D, 3) >> slice[T](0, T)"),
    (2, ACROSS, "pad[T](4, 0) >> conv1d(D, 5, padding = 2) >> slice[T](0, T)"),
    (1, ACROSS, "pad[T](3, 0) >> slice[T](0, T + 2) >> conv1d(D, 3)"),
    (0, ACROSS, "batchnorm >> relu"),
    (0, ACROSS, 'depthwise_conv1d(3, padding = "causal")'),
    (0, ALONG, "x => repeat(3, y => y + (y >> layernorm >> attention))(x)"),
    (0, "Real[T, D] @ Real[D] -> Real[T, D]", "(x, z) => over[T, D](x * z)"),
    (0, "Real[T, D] @ Real[S, D] -> Real[T, D]", "(x, z) => attend(x, z, z)"),
    (0, "Real[T, D] @ Real[S, D] -> Real[T, D]", "(x, z) => over[T, D](x + mean[S](z))"),
    (0, "Real[C, T, D] -> Real[T, D]", "sum[C]"),
    (0, "Fin(9)[T] -> Real[T, D]", "embed(D)"),
    (0, "Real[T, D] -> Real[T, C]", 'linear(6) >> rearrange("t (h c) -> t (c h)", h = 2) >> linear'),
]

LOST: list[tuple[str, str, str]] = [
    ("WHOLE", ALONG, "x => over[T, D](x - mean[T](x))"),
    ("WHOLE", ALONG, "softmax[T]"),
    ("WHOLE", ALONG, "layernorm[T](affine = false)"),
    ("WHOLE", ALONG, "x => over[T, D](x + max[T](x))"),
    ("WHOLE", ALONG, "x => over[T, D](x + real(argmax[T](x)))"),
    ("SEES", ALONG, "x => attend(x, x, x)"),
    ("SEES", ALONG, "x => attend(window = 2)(x, x, x)"),
    (
        "AHEAD",
        ALONG,
        "x => { y = rename[T -> T'](x)\n attend(mask = true)(x, y, y, permute[T, T'](band_mask[T', T](2, 0))) }",
    ),
    ("AHEAD", ALONG, "x => { y = x >> shift[T](-1)\n attend(causal = true)(x, y, y) }"),
    ("AHEAD", ALONG, "x => { y = rename[T -> T'](x)\n attend(mask = true)(x, y, y, band_mask[T, T'](2, 1)) }"),
    ("WHOLE", ALONG, f"x => {{ {SEEN} contract[T'](softmax[T'](s), y) }}"),
    (
        "WHOLE",
        ALONG,
        f"x => {{ {SEEN} contract[T'](softmax[T'](where(causal_mask[T', T] >> permute[T, T'], s, -1e9)), y) }}",
    ),
    ("WHOLE", ALONG, f"x => {{ {SEEN} contract[T'](softmax[T](where(causal_mask[T, T'], s, -1e9)), y) }}"),
    ("WHOLE", ALONG, f"x => {{ {SEEN} contract[T'](softmax[T'](where(causal_mask[T, T'], s, 0)), y) }}"),
    ("WHOLE", ALONG, f"x => {{ {SEEN} contract[T'](softmax[T'](tril(s)), y) }}"),
    ("WHOLE", ALONG, f"x => {{ {SEEN} contract[T'](triu(s), y) }}"),
    ("AHEAD", ALONG, f"x => {{ {SEEN} contract[T'](tril(1)(s), y) }}"),
    ("WHOLE", ALONG, f"x => {{ {SEEN} over[T, D](x * mean[T'](tril(s))) }}"),
    ("AHEAD", ACROSS, "conv1d(D, 3, padding = 1)"),
    ("AHEAD", ACROSS, 'conv1d(D, 4, padding = "same")'),
    ("AHEAD", ACROSS, 'conv1d(D, 3, padding = "causal") >> relu >> conv1d(D, 3, padding = 1)'),
    ("AHEAD", ACROSS, "pad[T](1, 1) >> conv1d(D, 3) >> slice[T](0, T)"),
    ("AHEAD", ACROSS, "maxpool1d(3, stride = 1, padding = 1)"),
    ("AHEAD", ALONG, "x => shift[T](-1)(x)"),
    ("AHEAD", ALONG, "x => shift[T](2)(x) >> shift[T](-3)"),
    ("AHEAD", ALONG, 'x => x >> pad[T](1, 0, mode = "reflect") >> slice[T](0, T)'),
    ("TAIL", ALONG, "x => shift[T](3)(x) >> shift[T](-1)"),
    ("TAIL", ACROSS, "x => shift[T](2)(x) >> conv1d(D, 3, padding = 1)"),
    ("REVERSED", ALONG, "x => x >> reverse[T]"),
    ("REVERSED", ALONG, "scan[T](decay, reverse = true)"),
    ("REVERSED", ALONG, "x => x >> reverse[T] >> cumsum[T] >> reverse[T]"),
    ("ROUND", ALONG, "x => roll[T](1)(x)"),
    ("LAST", ALONG, "x => over[T, D](x + fold[T](decay)(x))"),
    ("LENGTH", ALONG, "x => x / T"),
    ("LENGTH", ALONG, "x => over[T, D](x * (T - real(index[T])))"),
    ("SINGLE", ALONG, "x => over[T, D](x + (x >> slice[T](T - 1, T) >> squeeze[T]))"),
    ("PACE", "Real[D, T] -> Real[D, T: (T + 1) // 2]", "pad[T](1, 0) >> conv1d(D, 2, stride = 2)"),
]
