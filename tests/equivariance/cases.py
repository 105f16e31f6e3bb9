"""Morphisms and one group each, with whether they go with it: half of them are broken, most in ways that hide.

A case is the group's dim, the type, the body. `N`, `E` are sets, `Z` a cycle, `X` and `Y` vectors under O(3) and SO(3),
`P` momenta, `L` an irrep of degree 2; `D`, `C` and `S` are channels.
"""

from __future__ import annotations

DIMS = """
dim N : set, E : set, Z = 8 : cycle, X = 3 : vector(O), Y = 3 : vector(SO), P = 4 : vector(Lorentz), L = 5 : irrep(2)
dim D = 4, C = 3, S = 2
dim F = 3 : point(O), I = 8, J = 8, K = 3, M = 3, G = 8 : regular(D4), V = 4, Q = 3, R = 2, T = 4, U = 6 : regular(Cube)
group D4 on (I, J), (K, M) where turn ^ 4 == id, flip ^ 2 == id, (turn * flip) ^ 2 == id =
    (turn = (J, -I), flip = (I, -J))
group Ring on V where turn ^ 4 == id = (turn = [1, 2, 3, 0], flip = -V)
group Cube on Q where third ^ 3 == id, half ^ 2 == id =
    (third = [[0, 0, 1], [1, 0, 0], [0, 1, 0]], half = [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
group Shear on R = (shear = exp([[0, 1], [0, 0]]), double = [[2, 0], [0, 1]])
dim B = 2, O = 1 : vector(O)
group Square on B where turn ^ 4 == id = (turn = [[0, -1], [1, 0]], flip = [[1, 0], [0, -1]])
monoid Past on T = (later = [0, 0, 1, 2])
"""

FOLDS = """
functor Rows(S) = () + Real[D] @ S
functor Vectors(S) = () + Real[D, X] @ S
algebra decay : Rows(Real[D]) -> Real[D] = [ zeros | ((a, h) => a + h / 2) ]
algebra adding : Rows(Real[D]) -> Real[D] = [ zeros | ((a, h) => tanh(linear(D)(a)) + h + a) ]
algebra both : Rows(Real[D] @ Real[D]) -> Real[D] @ Real[D] = [
    (zeros[D] @ ones[D]) | ((a, h, k) => (h + a, maximum(k, a >> linear)))
]
algebra crossing : Rows(Real[D] @ Real[D]) -> Real[D] @ Real[D] = [ zeros | ((a, h, k) => (h + a, k + h)) ]
algebra turning : Vectors(Real[D, X]) -> Real[D, X] = [ zeros | ((a, h) => a + (h >> linear[D](D, bias = false))) ]
"""

ROUND = 'pad[Z](1, 1, mode = "circular")'

PATCHES = "Real[I, J, D] -> Real[C]"
WINDOWED = """x => {
    patches = x >> window[I](K) >> window[J](M) >> permute[I, J, K, M, D]
    patches >> map[I, J](tied equilinear[Real[G, C]]) >> relu >> mean[I, J] >> max[G]
}"""

MOVING = "Real[N, F] -> Real[N, F]"
MOVED = """x => {
    apart = over[N, N', F](rename[N -> N'](x) - x)
    strength = sum[F](apart * apart) >> rearrange("n m -> n m 1") >> linear(8) >> silu >> linear(S) >> mean[S]
    x + mean[N'](over[N, N', F](apart * strength))
}"""

KEPT = [
    # sets
    ("N", "Real[N, D] -> Real[N, C]", "linear(8) >> relu >> linear"),
    ("N", "Real[N, D] -> Real[C]", "linear(8) >> relu >> sum[N] >> linear"),
    ("N", "Real[N, D] -> Real[D]", "max[N]"),
    ("N", "Real[N, D] -> Real[D]", "logsumexp[N]"),
    ("N", "Real[N, D] -> Real[D]", "fold[N](adding)"),
    ("N", "Real[N, D] -> Real[D] @ Real[D]", "fold[N](both)"),
    ("N", "Real[D] @ Real[N, D] -> Real[D]", "fold[N]([ id | logaddexp ])"),
    ("N", "Real[N, X] -> Real[N, X]", "x => over[N, X](x - fold[N]([ zeros | add ], carrier = Real[X])(x))"),
    ("N", "Real[N, D] -> Real[D]", "x => var[N](x)"),
    ("N", "Real[N, D] -> Real[D]", "median[N]"),
    ("N", "Real[N, D] -> Real[N, D]", "layernorm"),
    ("N", "Real[N, D] -> Real[N, D]", "x => over[N, D](x - mean[N](x))"),
    ("N", "Real[N, D] -> Real[N, D]", "x => layernorm[N](affine = false)(x)"),
    ("N", "Real[N, D] -> Real[N, D]", 'rearrange("n d -> d n") >> batchnorm >> rearrange("d n -> n d")'),
    ("N", "Real[N, D] -> Probs(N)[N, D]", "softmax[N]"),
    (
        "N",
        "Real[N, D] -> Real[N, D]",
        "x => { y = rename[N -> N'](x)\n attend(x >> q: linear(D), y >> k: linear(D), y >> v: linear(D)) }",
    ),
    ("N", "Real[N, D] -> Real[N, C]", "equilinear(8) >> relu >> equilinear"),
    ("N", "Real[N, N'] -> Real[N]", "x => diagonal[N, N'](x)"),
    ("N", "Real[N, D] -> Real[N, N']", "x => contract[D](x, rename[N -> N'](x))"),
    ("N", "Real[N, D] -> Real[N, N']", "x => cdist(x, rename[N -> N'](x))"),
    ("N", "Real[N, N'] -> Real[N', N]", "permute[N', N]"),
    ("N", "Real[N, D] @ Fin(N)[E] @ Fin(N)[E] -> Real[N, D]", "propagate"),
    ("E", "Real[N, D] @ Fin(N)[E] @ Fin(N)[E] -> Real[N, D]", 'propagate(aggregate = "max")'),
    ("N", "Real[N, D] @ Fin(N)[E] -> Real[E, D]", "(x, i) => gather[N](x, i)"),
    ("N", "Real[N] @ Fin(N)[E] -> Real[E, N]", "(x, i) => over[E, N](x * one_hot[N](i))"),
    ("N", "Real[N, D] -> Real[(N, D)]", "flatten"),
    ("N", "Real[N, D] -> Real[N, D]", "x => flatten(x) >> relu >> unflatten[(N, D)](N, D)"),
    ("N", "Real[N, D] -> Real[N, D]", "x => repeat(3, y => y + (y >> linear(D) >> tanh))(x)"),
    ("N", "Real[N, D] -> Real[N, C]", "map[N](tied linear)"),
    ("N", "Real[N, D] -> Real[N, D]", "x => where(x > 0, x, 0)"),
    ("N", "Real[N, D] -> Real[N, D]", "x => x * (zeros[N, D] + 2)"),
    ("N", "Real[N, C, D] -> Real[N, D]", "x => over[N, C, D](x + (zeros[C] >> linear(C))) >> sum[C]"),
    ("N", "Real[N, D] -> Real[N, D]", "x => x >> dropout(0.5)"),
    ("N", "Real[N, D] -> Real[N, D]", "iterate(3, tied linear(D))"),
    ("N", "Real[C, N, D] -> Real[N, D]", "map[C](tied sum[D]) >> sum[C] >> expand[D] >> permute[N, D]"),
    ("N", "Real[C, N] -> Real[N]", 'rearrange("c n -> n c") >> map[N](tied max[C])'),
    ("N", "Real[N, N'] -> Real", "x => cross_entropy(x >> as[Logits], index[N]) >> as[Real]"),
    ("N", "Real[N, N'] -> Real[N]", "x => where(index[N] != -1, diagonal[N, N'](x), 0)"),
    # cycles
    ("Z", "Real[D, Z] -> Real[C, Z]", f"{ROUND} >> conv1d(C, 3)"),
    ("Z", "Real[D, Z] -> Real[D]", f"{ROUND} >> conv1d(D, 3) >> relu >> mean[Z]"),
    ("Z", "Real[Z, D] -> Real[Z, D]", "equilinear(8) >> relu >> equilinear"),
    ("Z", "Real[D, Z] -> Real[D, Z]", "roll[Z](3)"),
    ("Z", "Real[D, Z] -> Real[D, Z]", f"{ROUND} >> avgpool1d(3, stride = 1)"),
    ("Z", "Real[D, Z] -> Real[D, Z]", "layernorm[Z](affine = false)"),
    ("Z", "Real[Z, D] -> Real[D]", "max[Z]"),
    ("Z", "Real[Z, D] -> Real[D]", "fold[Z](adding)"),
    ("Z", "Real[Z, D] -> Real[D]", 'x => x >> pad[Z](0, 8, mode = "circular") >> fold[Z](adding)'),
    # vectors
    ("X", "Real[X, D] -> Real[D]", "norm[X]"),
    ("X", "Real[D, X] -> Real[D]", "v => sum[X](v * v)"),
    ("X", "Real[D, X] -> Real[D]", "v => sum[X](v ^ 2)"),
    ("X", "Real[D, X] @ Real[D, X] -> Real[D]", "(v, w) => dot[X](v, w)"),
    ("X", "Real[X, D] -> Real[X, C]", "linear(bias = false)"),
    ("X", "Real[N, X] -> Real[N, X]", "v => over[N, X](v * sigmoid(norm[X](v)))"),
    ("X", "Real[N, X] -> Real[N, X]", "v => over[N, X](v - mean[N](v))"),
    ("X", "Real[D, X] -> Real[D, X]", "rmsnorm[X](affine = false)"),
    ("X", "Real[D, X] -> Real[D, X]", "normalize[X]"),
    ("X", "Real[N, X] -> Real[X, X']", "v => contract[N](v, rename[X -> X'](v))"),
    ("X", "Real[N, X] -> Real[N, N']", "v => cdist(v, rename[N -> N'](v)) >> exp"),
    ("X", "Real[D, X] @ Real[X, X'] -> Real[D, X']", "(v, m) => contract[X](v, m)"),
    ("X", "Real[X, X'] -> Real", "m => trace[X, X'](m) ^ 3"),
    ("X", "Real[X, X'] -> Real", "det[X, X']"),
    ("X", "Real[X, X'] -> Real[X, X']", "m => m - (trace[X, X'](m) / 3) * eye[X, X']"),
    (
        "X",
        "Real[N, X] @ Real[N] -> Real[X, X']",
        "(x, m) => { r = contract[N](m, sum[X](x * x))\n"
        " r * eye[X, X'] - contract[N](over[N, X](x * m), rename[X -> X'](x)) }",
    ),
    ("L", "Real[L, L'] -> Real", "m => sum[L, L'](m * eye[L, L'])"),
    ("V", "Real[V, V'] -> Real[V, V']", "m => m + 2 * eye[V, V']"),
    ("X", "Real[X, D] -> Real[X, C]", "equilinear"),
    ("X", "Real[D, X] -> Real[D, X]", "v => over[D, X](where(norm[X](v) > 1, v, v / 2))"),
    ("X", "Real[D, X] -> Real[D, X]", "v => v - 2 * v / 3"),
    ("X", "Real[C, D, X] -> Real[D, X]", "fold[C](turning)"),
    ("Y", "Real[D, Y] @ Real[D, Y] -> Real[D, Y]", "(v, w) => cross[Y](v, w)"),
    ("Y", "Real[C, Y] -> Real", "m => det[C, Y](m)"),
    ("Y", "Real[D, Y] -> Real[D, L]", "spherical_harmonics(L)"),
    ("L", "Real[D, L] -> Real[D]", "x => sum[L](x * x)"),
    ("Y", "Real[N, Y, D] @ Real[N, L, C] -> Real[N, L, D]", "equibilinear[Real[N, L, D]]"),
    ("N", "Real[N, Y, D] @ Real[L, C] -> Real[N, L, D]", "equibilinear[Real[N, L, D]]"),
    ("Z", "Real[Z, D] @ Real[Z, C] -> Real[Z, D]", "equibilinear"),
    ("V", "Real[V, D] @ Real[C] -> Real[V, D]", "equibilinear"),
    ("Q", "Real[Q, D] @ Real[Q, C] -> Real[Q, D]", "equibilinear"),
    ("B", "Real[B, D] -> Real[B, C]", "tanh >> linear(bias = false)"),
    ("B", "Real[B, D] -> Real[D]", "abs >> exp >> sum[B]"),
    ("B", "Real[B, B'] -> Real[B, B']", "x => x >> sin"),
    ("O", "Real[O, D] -> Real[O, D]", "x => over[O, D](sinh(x) * cos(x))"),
    ("T", "Real[T, D] @ Real[T, C] -> Real[T, D]", "equibilinear"),
    ("L", "Real[Y, D] @ Real[L, D] -> Real[Y, D]", "couple[Real[Y, D]]"),
    ("X", "Real[N, X, D] @ Real[N, D] -> Real[N, X, D]", "(v, s) => gate[X](v, s)"),
    ("X", "Real[X, D] -> Real[X, D]", "norm_relu[X, D] >> vectornorm[X, D]"),
    ("L", "Real[L, D] -> Real[L, D]", "vectornorm[L, D] >> norm_relu[L, D]"),
    ("L", "Real[L, D] -> Real[Y, D]", "x => over[L, L', D](x * rename[L -> L'](x)) >> equilinear[Real[Y, D]]"),
    (
        "P",
        "Real[D, P] -> Real[D, D']",
        "p => { m = over[D, P](p * values[P]([1, -1, -1, -1]))\n contract[P](m, rename[D -> D'](p)) }",
    ),
    ("P", "Real[D, P] -> Real[D]", "p => contract[P](over[D, P](p * (-2 * values[P]([1, -1, -1, -1]))), p)"),
    ("P", "Real[P, D] -> Real[P, C]", "linear(bias = false)"),
    ("P", "Real[P, P'] -> Real", "det[P, P']"),
    # points, and translations of space
    ("+ F", "Real[F] @ Real[F] -> Real[F]", "(p, q) => (p + q) / 2"),
    ("+ F", "Real[N, F] -> Real[F]", "mean[N]"),
    ("+ F", "Real[C, F] -> Real[F]", "x => sum[C](x) / 3"),
    ("+ F", "Real[F] @ Real[F] -> Real", "(p, q) => norm[F](p - q)"),
    ("+ F", "Real[N, F] @ Real[N, X] -> Real[N, F]", "(x, v) => x + rename[X -> F](v)"),
    ("+ F", "Real[N, F] @ Real[N, F] -> Real[N, X]", "(x, y) => rename[F -> X](y - x)"),
    ("+ F", "Real[N, F] -> Real[N, N']", "x => cdist(x, rename[N -> N'](x))"),
    ("+ F", "Real[N, F] @ Fin(N)[E] -> Real[E, F]", "(x, i) => gather[N](x, i)"),
    ("+ F", "Real[C, F] -> Real[C, F]", "x => roll[C](1)(x) * 3 - x * 2"),
    ("+ F", MOVING, MOVED),
    ("F", MOVING, MOVED),
    ("N", MOVING, MOVED),
    # images that are turned and reflected
    ("I", "Real[I, J, D] -> Real[I, J, C]", "linear(8) >> relu >> linear"),
    ("I", "Real[D, I, J] -> Real[C]", "maxpool2d(2) >> mean[I, J] >> linear"),
    ("I", "Real[D, I, J] -> Real[D, I, J]", "avgpool2d(3, stride = 1, padding = 1)"),
    ("I", "Real[D, I, J] -> Real[D]", "maxpool2d(3, stride = 1, padding = 1) >> logsumexp[I, J]"),
    ("I", "Real[I, J, D] -> Real[D]", "mean[J] >> mean[I]"),
    ("I", "Real[I, J] -> Real[(I, J)]", "flatten >> softmax"),
    ("I", "Real[I, J, D] -> Real[I, J, C]", "equilinear(8) >> relu >> equilinear"),
    ("I", "Real[K, M, D] -> Real[G, C]", "equilinear[Real[G, 8]] >> relu >> equilinear[Real[G, C]]"),
    ("I", "Real[I, J, I', J'] -> Real[I, J]", "sum[I', J']"),
    ("I", "Real[I, J, D] -> Real[I, J, I', J']", "x => contract[D](x, rename[I -> I', J -> J'](x))"),
    ("I", "Real[I, J, D] -> Real[I, J, D]", "x => x >> reverse[I] >> reverse[J]"),
    ("I", "Real[I, J, D] -> Real[C]", "x => x >> slice[I](2, 6) >> slice[J](2, 6) >> max[I, J] >> linear"),
    ("I", "Real[G, D] -> Real[C]", "linear(8) >> relu >> max[G] >> linear"),
    ("I", PATCHES, WINDOWED),
    ("I", "Real[I, J, D] @ Real[K, M, C] -> Real[D]", "(x, y) => equibilinear[Real[D]](x, y)"),
    # declared groups of one axis
    ("Q", "Real[Q, D] @ Real[Q, C] -> Real[Q, D]", "(x, y) => equibilinear(x, y)"),
    ("V", "Real[V, D] -> Real[V, C]", "equilinear(8) >> relu >> equilinear"),
    ("V", "Real[V, D] -> Real[C]", "relu >> max[V] >> linear"),
    ("Q", "Real[Q, D] -> Real[Q, D]", "v => over[Q, D](v * norm[Q](v))"),
    ("Q", "Real[Q, D] -> Real[Q, Q', C]", "v => over[Q, Q', D](v * rename[Q -> Q'](v)) >> equilinear"),
    ("Q", "Real[Q, D] -> Real[U, C]", "equilinear[Real[U, 8]] >> relu >> equilinear[Real[U, C]]"),
    ("R", "Real[R, D] -> Real[R, C]", "linear(bias = false)"),
    ("R", "Real[N, R] -> Real[N, R]", "v => over[N, R](v - mean[N](v))"),
    ("T", "Real[T, D] -> Real[T, C]", "linear(8) >> relu >> linear"),
    ("T", "Real[T, D] -> Real[T, C]", "equilinear"),
    ("T", "Real[T, D] @ Real[T, D] -> Real[T, D]", "(x, y) => where(x > 0, y, 0)"),
]

LOST = [
    # sets
    ("N", "Real[N, D] -> Real[D]", "fold[N](decay)"),
    ("N", "Real[N, D] -> Real[N, D]", "scan[N](decay)"),
    ("N", "Real[N, D] -> Real[D]", "fold[N](decay)"),
    ("N", "Real[N, D] -> Real[N, D]", "scan[N](adding)"),
    ("N", "Real[N, D] -> Real[D] @ Real[D]", "fold[N](crossing)"),
    ("N", "Real[N, D] -> Real[D]", "fold[N]([ zeros | (a, h) => a - h ], carrier = Real[D])"),
    (
        "N",
        "Real[N, D] -> Real[D]",
        "x => (x, index[N] >> real) >> fold[N]([ zeros | (a, i, h) => h + i * a ], carrier = Real[D])",
    ),
    ("Z", "Real[Z, D] -> Real[Z, D]", "each[Z](fresh linear(D))"),
    ("X", "Real[X, D] -> Real[X, D]", "map[X](tied tanh)"),
    ("N", "Real[N, D] -> Real[N, D]", "x => cumsum[N](x)"),
    ("N", "Real[N, D] -> Real[N, D]", "positions[N, D](50)"),
    ("N", "Real[N, D] -> Real[N, D]", "sinusoidal[N, D]"),
    (
        "N",
        "Real[N, D] -> Real[N, D]",
        'rearrange("n d -> d n") >> conv1d(4, 3, padding = 1) >> rearrange("d n -> n d")',
    ),
    ("N", "Real[N, D] -> Real[N, D]", "x => over[N, D](x + real(index[N]))"),
    ("N", "Real[N, D] -> Real[N, D]", "x => x >> reverse[N]"),
    ("N", "Real[N, D] -> Real[N, D]", "x => shift[N](1)(x)"),
    ("N", "Real[N, D] -> Real[N, D]", "x => { y = rename[N -> N'](x)\n attend(causal = true)(x, y, y) }"),
    ("N", "Real[N, D] -> Real[(N, D)]", "flatten >> cumsum[(N, D)]"),
    ("N", "Real[N, N'] -> Real[N, N']", "tril[N, N']"),
    ("N", "Real[N, D] -> Real[D]", "x => x >> slice[N](0, 1) >> squeeze[N]"),
    ("N", "Real[N, D] -> Real[N, D]", "x => over[N, D](x * exp(-real(index[N])))"),
    ("N", "Fin(N)[E] -> Real[E]", "i => real(i)"),
    ("N", "Fin(N)[E] -> Real[E, C]", 'i => real(i) >> rearrange("e -> e 1") >> linear(C)'),
    ("N", "Real[N] -> Real", "x => real(argmax[N](x))"),
    ("N", "Real[N, D] -> Real[N, D]", "x => { v, i = x >> sort[N]\n i >> discard\n v }"),
    ("N", "Real[N, N'] -> Real[N, D]", "x => x >> slice[N'](0, 4) >> rename[N' -> D]"),
    ("N", "Real[N, N'] -> Real[N]", "x => x >> slice[N'](0, 1) >> squeeze[N']"),
    ("N", "Real[N, D] -> Real[N, D]", "x => x + (x >> shift[N](-1))"),
    ("N", "Real[N, N'] -> Real[N]", "x => where(index[N] != 1, diagonal[N, N'](x), 0)"),
    ("N", "Real[N, N'] -> Real", "x => cross_entropy(ignore = 0)(x >> as[Logits], index[N]) >> as[Real]"),
    # cycles
    ("Z", "Real[D, Z] -> Real[D, Z]", "conv1d(4, 3, padding = 1)"),
    ("Z", "Real[D, Z] -> Real[D]", f"{ROUND} >> conv1d(D, 3, stride = 2) >> relu >> mean[Z]"),
    ("Z", "Real[D, Z] -> Real[D]", "maxpool1d(2) >> mean[Z]"),
    ("Z", "Real[D, Z] -> Real[D]", "slice[Z](0, 1) >> squeeze[Z]"),
    ("Z", "Real[D, Z] -> Real[D, Z]", "layernorm[Z]"),
    ("Z", "Real[D, Z] -> Real[D, Z]", "linear[Z](Z)"),
    ("Z", "Real[D, Z] -> Real[D, Z]", "cumsum[Z]"),
    ("Z", "Real[D, Z] -> Real[D, Z]", "reverse[Z]"),
    ("Z", "Real[D, Z] -> Real[D]", 'pad[Z](1, 1, mode = "circular") >> mean[Z]'),
    ("Z", "Real[D, Z] -> Real[D]", "flatten >> linear(D)"),
    ("Z", "Real[Z, D] -> Real[D]", "x => x >> slice[Z](0, 6) >> fold[Z](adding)"),
    ("Z", "Real[Z, D] -> Real[D]", 'x => x >> pad[Z](1, 1, mode = "circular") >> fold[Z](adding)'),
    ("Z", "Real[D, Z] -> Real[D, Z]", 'pad[Z](1, 1, mode = "reflect") >> conv1d(4, 3)'),
    # vectors
    ("X", "Real[X, D] -> Real[X, D]", "relu"),
    ("X", "Real[X, D] -> Real[X, C]", "linear"),
    ("X", "Real[D, X] -> Real[D, X]", "layernorm[X](affine = false)"),
    ("X", "Real[D, X] -> Real[D, X]", "rmsnorm[X]"),
    ("X", "Real[D, X] -> Real[D]", "max[X]"),
    ("X", "Real[D, X] -> Real[D]", "sum[X]"),
    ("X", "Real[D, X] -> Real[D]", "x => norm[X](p = 1)(x)"),
    ("X", "Real[N, X] -> Real[X]", "max[N]"),
    ("X", "Real[N, X] -> Real[N, X]", "softmax[N]"),
    ("X", "Real[D, X] -> Real[D, X]", "v => v * v"),
    ("X", "Real[D, X] -> Real[D, X]", "v => v + 1"),
    ("X", "Real[D, X] -> Real[D, X]", "v => where(v > 0, v, 0)"),
    ("X", "Real[D, X] @ Real[D, X] -> Real[D, X]", "(v, w) => cross[X](v, w)"),
    ("X", "Real[C, X] -> Real", "m => det[C, X](m)"),
    ("X", "Real[X, X'] -> Real[X]", "m => diagonal[X, X'](m)"),
    ("X", "Real[X, X'] -> Real[X, X']", "m => m * eye[X, X']"),
    ("X", "Real[X, X'] -> Real[X, X']", "m => m + exp(eye[X, X'])"),
    ("X", "Real[X, X'] -> Real", "m => det[X, X'](m * m)"),
    ("X", "Real[X, X'] -> Real", "m => trace[X, X'](m * m)"),
    ("X", "Real[D, X] -> Real[D, X]", "v => v >> slice[X](0, 3) >> roll[X](1)"),
    ("X", "Real[D, X] -> Real[D]", "v => v >> flatten >> linear(D)"),
    ("X", "Real[D, X] -> Real[D, X]", "v => v * sigmoid(v)"),
    ("Y", "Real[D, Y] -> Real[D, L]", "spherical_harmonics(L) >> tanh"),
    ("P", "Real[D, P] -> Real[D]", "norm[P]"),
    ("P", "Real[D, P] -> Real[D, D']", "p => contract[P](p, rename[D -> D'](p))"),
    ("P", "Real[D, P] -> Real[D]", "p => { m = over[D, P](p * values[P]([-1, 1, 1, -1]))\n contract[P](m, p) }"),
    ("P", "Real[D, P] -> Real[D]", "p => contract[P](over[D, P](p * abs(values[P]([1, -1, -1, -1]))), p)"),
    ("P", "Real[D, P] -> Real[D]", "p => contract[P](over[D, P](p * exp(values[P]([1, -1, -1, -1]))), p)"),
    ("L", "Real[D, L] -> Real[D, L]", "x => x * x"),
    ("L", "Real[L, D] -> Real[L, D]", "vectornorm[D, L]"),
    ("L", "Real[L, D] -> Real[L, D]", "norm_relu[D, L]"),
    ("Y", "Real[Y, D] @ Real[L, D] -> Real[Y, D]", "(v, x) => couple[Real[Y, D]](relu(v), x)"),
    ("N", "Real[N, D] @ Real[N, D] -> Real[N, D]", "(x, y) => equibilinear(x >> reverse[N], y)"),
    ("V", "Real[V, D] @ Real[V, C] -> Real[V, D]", "(x, y) => equibilinear(x >> roll[V](1), y)"),
    ("B", "Real[B, D] -> Real[B, D]", "relu"),
    ("B", "Real[B, D] -> Real[B, D]", "abs"),
    ("B", "Real[B, D] -> Real[D]", "tanh >> sum[B]"),
    ("O", "Real[O, D] -> Real[O, D]", "sigmoid"),
    ("X", "Real[X, D] -> Real[X, D]", "tanh"),
    # points, and translations of space
    ("+ F", "Real[F] @ Real[F] -> Real[F]", "(p, q) => p + q"),
    ("+ F", "Real[F] @ Real[F] -> Real[F]", "(p, q) => p - q"),
    ("+ F", "Real[N, F] -> Real[F]", "sum[N]"),
    ("+ F", "Real[N, F] -> Real[N]", "norm[F]"),
    ("+ F", "Real[F, F'] -> Real", "det[F, F']"),
    ("+ F", "Real[F, F'] -> Real", "trace[F, F']"),
    ("+ F", "Real[N, F] -> Real[N, F]", "linear[F](F)"),
    ("+ F", "Real[N, F] -> Real[N, X]", "x => rename[F -> X](x)"),
    ("+ F", "Real[N, F] -> Real[N, F]", "x => x * 2"),
    ("+ F", "Real[N, F] @ Real[N] -> Real[N, F]", "(x, w) => over[N, F](x * w)"),
    ("+ F", "Real[C, F] -> Real[C, F]", "x => x >> shift[C](1)"),
    ("+ F", "Real[N, F] @ Real[N] -> Real[F]", "(x, w) => contract[N](x, sigmoid(w))"),
    ("F", "Real[N, F] -> Real[F]", "max[N]"),
    # images that are turned and reflected
    ("I", "Real[D, I, J] -> Real[D, I, J]", "conv2d(4, 3, padding = 1)"),
    ("I", "Real[D, I, J] -> Real[D]", "avgpool2d(3, stride = 2, padding = 1) >> mean[I, J]"),
    ("I", "Real[D, I, J] -> Real[D]", "avgpool2d([3, 1], stride = 1) >> mean[I, J]"),
    ("I", "Real[I, J, D] -> Real[D]", "mean[J] >> max[I]"),
    ("I", "Real[I, J, D] -> Real[D]", "mean[J] >> relu >> mean[I]"),
    ("I", "Real[I, J, D] -> Real[D]", "softmax[J] >> max[I, J]"),
    ("I", "Real[I, J, D] -> Real[I, J, D]", "x => x >> reverse[I]"),
    ("I", "Real[I, J, D] -> Real[I, J, D]", "x => over[I, J, D](x + real(index[I]))"),
    ("I", "Real[I, J, D] -> Real[C]", "x => x >> slice[I](0, 4) >> slice[J](0, 4) >> max[I, J] >> linear"),
    (
        "I",
        "Real[I, J, D] -> Real[I, J, D]",
        "x => x >> pad[I](1, 0) >> pad[J](1, 0) >> slice[I](0, 8) >> slice[J](0, 8)",
    ),
    ("I", "Real[I, J] -> Real[D]", "flatten >> linear(D)"),
    ("I", "Real[I, J, I', J'] -> Real[I, J]", "x => x >> sum[I', J] >> rename[J' -> J]"),
    ("I", "Real[G, D] -> Real[G, D]", "x => x >> roll[G](1)"),
    ("I", "Real[I, J, D] -> Real[I, J, D]", "batchnorm[I]"),
    # declared groups of one axis
    ("V", "Real[V, D] -> Real[V, D]", "x => x >> roll[V](1)"),
    ("V", "Real[V, D] -> Real[V, D]", "layernorm[V]"),
    ("Q", "Real[Q, D] -> Real[U, C]", "equilinear[Real[U, C]] >> cumsum[U]"),
    ("R", "Real[R, D] -> Real[D]", "norm[R]"),
    ("R", "Real[R, R'] -> Real", "det[R, R']"),
    ("R", "Real[R, R'] -> Real[R, R']", "m => m + eye[R, R']"),
    ("P", "Real[P, P'] -> Real[P, P']", "m => m + eye[P, P']"),
    ("R", "Real[R, D] -> Real[R, D]", "relu"),
    ("R", "Real[R, D] -> Real[R, C]", "linear"),
    ("T", "Real[T, D] -> Real[D]", "mean[T]"),
    ("T", "Real[T, D] -> Real[D]", "fold[T](adding)"),
    ("T", "Real[T, D] -> Real[T, D]", "softmax[T]"),
    ("T", "Real[T, D] -> Real[T, D]", "x => x >> reverse[T]"),
    ("T", "Real[T, D] -> Real[T, C]", "positions[T, D](50) >> linear"),
]
