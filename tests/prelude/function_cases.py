"""Small specs, one or more for every function of the prelude: `name : domain -> codomain = expression`.

The dims they may use are declared by `spec`, at the sizes given.
"""

from __future__ import annotations

import re

SIZES = {"B": 2, "T": 5, "D": 4, "H": 3, "W": 6, "C": 7, "N": 6, "E": 9, "K": 3, "X": 3}


def spec(case: str, sizes: dict[str, int]) -> str:
    """The text of a file with the morphism `f` and the dims it mentions."""
    used = sorted({name for name in re.findall(r"\b([A-Z])\b", case) if name in sizes})
    dims = f"dim {', '.join(f'{name} = {sizes[name]}' for name in used)}\n" if used else ""
    return f"{dims}morphism f : {case.partition(' : ')[2]}\n"


POINTWISE = """
square : Real[T, D] -> Positive[T, D] = square
clamp : Real[T, D] -> Real[T, D] = clamp(-0.5, 0.5)
clamp_min : Real[T, D] -> Real[T, D] = clamp_min(-0.5)
clamp_max : Real[T, D] -> Real[T, D] = clamp_max(0.5)
logit : Prob[T, D] -> Logits[T, D] = logit
xlogy : Positive[T, D] @ Positive[T, D] -> Real[T, D] = xlogy
logaddexp : Real[T] @ Real[T] -> Real[T] = logaddexp
lerp : Real[T] @ Real[T] @ Real[T] -> Real[T] = lerp
frac : Real[T, D] -> Real[T, D] = x => frac(3 * x)
trunc : Real[T, D] -> Real[T, D] = x => trunc(3 * x)
sinc : Real[T, D] -> Real[T, D] = sinc
"""

ACTIVATIONS = """
relu : Real[T, D] -> Real[T, D] = relu
relu6 : Real[T, D] -> Real[T, D] = x => relu6(6 * x)
leaky_relu : Real[T, D] -> Real[T, D] = leaky_relu
leaky_relu : Real -> Real = leaky_relu(0.2)
prelu : Real[T, D] -> Real[T, D] = prelu
channel_prelu : Real[C, H, W] -> Real[C, H, W] = channel_prelu[C](0.1)
rrelu : Real[T, D] -> Real[T, D] = rrelu
elu : Real[T, D] -> Real[T, D] = elu
elu : Real[T, D] -> Real[T, D] = elu(0.7)
selu : Real[T, D] -> Real[T, D] = selu
celu : Real[T, D] -> Real[T, D] = celu(2)
gelu : Real[T, D] -> Real[T, D] = gelu
gelu : Real[T, D] -> Real[T, D] = gelu("tanh")
quick_gelu : Real[T, D] -> Real[T, D] = quick_gelu
silu : Real[T, D] -> Real[T, D] = silu
mish : Real[T, D] -> Real[T, D] = mish
softsign : Real[T, D] -> Real[T, D] = softsign
tanhshrink : Real[T, D] -> Real[T, D] = tanhshrink
hardtanh : Real[T, D] -> Real[T, D] = hardtanh
hardtanh : Real[T, D] -> Real[T, D] = hardtanh(-0.5, 0.25)
hardsigmoid : Real[T, D] -> Real[T, D] = x => hardsigmoid(3 * x)
hardswish : Real[T, D] -> Real[T, D] = x => hardswish(3 * x)
hardshrink : Real[T, D] -> Real[T, D] = hardshrink
softshrink : Real[T, D] -> Real[T, D] = softshrink(0.3)
threshold : Real[T, D] -> Real[T, D] = threshold(0.1, 20)
logsigmoid : Real[T, D] -> LogProb[T, D] = logsigmoid
squared_relu : Real[T, D] -> Positive[T, D] = squared_relu
softcap : Real[T, D] -> Real[T, D] = softcap(2)
glu : Real[T, D: 6] -> Real[T, D: 3] = glu
glu : Real[C: 4, H, W] -> Real[C: 2, H, W] = glu[C]
reglu : Real[T, D: 6] -> Real[T, D: 3] = reglu
geglu : Real[T, D: 6] -> Real[T, D: 3] = geglu
swiglu : Real[D: 6] -> Real[D: 3] = swiglu
softmax : Logits[T, D] -> Probs(D)[T, D] = softmax
softmax : Real[T, D] -> Probs(T)[T, D] = softmax[T]
softmax : Real[C, H, W] -> Probs(C)[C, H, W] = softmax[C]
log_softmax : Real[T, D] -> LogProbs(D)[T, D] = log_softmax
log_softmax : Real[T, D] -> LogProbs(T)[T, D] = log_softmax[T]
softmin : Real[T, D] -> Probs(D)[T, D] = softmin
sparsemax : Real[T, D] -> Probs(D)[T, D] = sparsemax
sparsemax : Real[T, D] -> Probs(T)[T, D] = sparsemax[T]
"""

REDUCTIONS = """
count : Bool[T, D] -> Positive[T] = count[D]
count : Bool[T, D] -> Positive = count[..]
var : Real[T, D] -> Var[T] = var[D]
var : Real[C, H, W] -> Var[C] = var[H, W](correction = 0)
var : Real[T, D] -> Var = var[..]
std : Real[T, D] -> Std[T] = std[D]
std : Real[T, D] -> Std[D] = std[T](correction = 0)
norm : Real[T, D] -> Positive[T] = norm[D]
norm : Real[C, H, W] -> Positive[H] = norm[C, W](p = 3)
norm : Real[T, D] -> Positive = norm[..](p = 1)
norm_inf : Real[T, D] -> Positive[D] = norm_inf[T]
sort : Real[T, D] -> Real[T, D] @ Fin(D)[T, D] = sort
sort : Real[T, D] -> Real[T, D] @ Fin(T)[T, D] = sort[T](descending = true)
argsort : Real[T, D] -> Fin(T)[T, D] = argsort[T]
topk : Real[T, D] -> Real[T, K] @ Fin(D)[T, K] = topk(K)
topk : Real[C, H, W] -> Real[K, H, W] @ Fin(C)[K, H, W] = topk[C](K, largest = false)
median : Real[T, D] -> Real[T] = median
median : Real[T, D] -> Real[D] = median[T]
"""

INDEX = """
values : Real[X] -> Real[X] = x => x + values[X]([0.5, -1, 2])
arange : Real[T] -> Real[T] = x => x * arange[T](1, 0.5)
arange : Real[T] -> Real[T] = x => x * arange[T]
linspace : Real[T] -> Real[T] = x => x * linspace[T](-1, 2)
eye : Real[T, D] -> Real[T, D] = x => x + eye[T, D]
one_hot : Fin(C)[T] -> Probs(C)[T, C] = one_hot[C]
one_hot : Fin(C) -> Probs(C)[C] = one_hot
tril : Real[T, D] -> Real[T, D] = tril
tril : Real[C, H, W] -> Real[C, H, W] = tril(-1)
tril : Real[C, H, W] -> Real[C, H, W] = tril[C, W](1)
triu : Real[T, D] -> Real[T, D] = triu(1)
masked_fill : Real[T, D] @ Drop[T, D] -> Real[T, D] = masked_fill(-3)
causal_mask : Real[T, D] -> Real[T, D] = x => x * real(causal_mask[T, D])
band_mask : Real[T, N] -> Real[T, N] = x => x * real(band_mask[T, N](2, 1))
length_mask : Positive[T] -> Keep[T, D] = x => length_mask[D](2 * x)
outer : Real[T] @ Real[D] -> Real[T, D] = outer
outer : Real[T, D] @ Real[C] -> Real[T, D, C] = outer
outer : Real[T] -> Real[T, D] = x => outer(x, arange[D])
outer : Real[D] -> Real[T, D] = x => outer(arange[T], x)
segment_sum : Real[E, D] @ Fin(N)[E] -> Real[N, D] = segment_sum[N]
segment_mean : Real[E, D] @ Fin(N)[E] -> Real[N, D] = segment_mean[N]
segment_max : Real[E, D] @ Fin(N)[E] -> Real[N, D] = segment_max[N]
segment_min : Real[E] @ Fin(N)[E] -> Real[N] = segment_min[N]
segment_softmax : Real[E, K] @ Fin(N)[E] -> Positive[E, K] = segment_softmax[N]
segment_softmax : Real[E] @ Fin(N)[E] -> Positive[E] = segment_softmax[N]
degree : Fin(N)[E] -> Positive[N] = degree[N]
propagate : Real[N, D] @ Fin(N)[E] @ Fin(N)[E] -> Real[N, D] = propagate
propagate : Real[N, D] @ Fin(N)[E] @ Fin(N)[E] -> Real[N, D] = propagate("mean")
propagate : Real[N, D] @ Fin(N)[E] @ Fin(N)[E] -> Real[N, D] = propagate(aggregate = "max")
"""

GRADIENT = """
round_ste : Real[T] -> Real[T] = x => round_ste(3 * x)
sign_ste : Real[T] -> Real[T] = sign_ste
frozen : Real[T] -> Real[T] = x => x + frozen(x * x)
scale_gradient : Real[T] -> Real[T] = scale_gradient(0.1)
reverse_gradient : Real[T] -> Real[T] = reverse_gradient
quantize_ste : Real[T] -> Real[T] = quantize_ste(4)
"""

LINALG = """
matmul : Real[T, D] @ Real[D, C] -> Real[T, C] = matmul
matmul : Real[H, T, D] @ Real[H, D, C] -> Real[H, T, C] = matmul
dot : Real[T, D] @ Real[T, D] -> Real[T] = dot
dot : Real[T, D] @ Real[T, D] -> Real[D] = dot[T]
cosine_similarity : Real[T, D] @ Real[T, D] -> Real[T] = cosine_similarity
diagonal : Real[T, D, C: D] -> Real[T, D] = diagonal
diagonal : Real[D, T, C: D] -> Real[D, T] = diagonal[D, C]
diag : Real[T, D] -> Real[T, D, C: D] = diag
trace : Real[T, D, C: D] -> Real[T] = trace
cross : Real[T, X] @ Real[T, X] -> Real[T, X] = cross
cross : Real[X, T] @ Real[X, T] -> Real[X, T] = cross[X]
cdist : Real[T, D] @ Real[N, D] -> Positive[T, N] = cdist
cdist : Real[H, T, D] @ Real[H, N, D] -> Positive[H, T, N] = cdist(p = 1)
solve : Real[T, D, D'] @ Real[T, D, K] -> Real[T, D', K] = (a, b) => solve(over[T, D, D'](a + 5 * eye[D, D']), b)
solve_triangular : Real[D, D'] @ Real[D, K] -> Real[D', K] = (a, b) => solve_triangular(tril(a) + 3 * eye[D, D'], b)
inv : Real[D, D'] -> Real[D', D] = a => inv(a + 5 * eye[D, D'])
pinv : Real[T, D] -> Real[D, T] = pinv
det : Real[T, D, D'] -> Real[T] = det
logdet : Real[D, D'] -> Real = a => logdet(a + 5 * eye[D, D'])
slogdet : Real[T, D, D'] -> Real[T] @ Real[T] = slogdet
cholesky : Real[D, T] -> Real[D, D'] = a => cholesky(contract[T](a, a >> rename[D -> D']) + eye[D, D'])
qr : Real[T, D] -> Real[T, K: D] @ Real[K: D, D] = qr(K: D)
svd : Real[H, T, D] -> Positive[H, K] = a => {
    u, s, v = a >> svd(K)
    (u, v) >> discard
    s
}
svd : Real[T, D] -> Real[T, D] = a => {
    u, s, v = a >> svd(K: D)
    contract[K](u, s, v)
}
eigh : Real[D, T] -> Real[D'] = a => {
    w, v = contract[T](a, a >> rename[D -> D']) >> eigh
    v >> discard
    w
}
matrix_exp : Real[T, D, D'] -> Real[T, D, D'] = matrix_exp
"""

SIGNAL = """
complex : Real[T, D] @ Real[T, D] -> Complex[T, D] = complex
real_part : Complex[T, D] -> Real[T, D] = real_part
imag_part : Complex[T, D] -> Real[T, D] = imag_part
dft : Real[T] -> Complex[D] = x => contract[T](complex(x, 0 * x), dft[T, D])
conj : Complex[T, D] -> Complex[T, D] = conj
magnitude : Complex[T, D] -> Positive[T, D] = magnitude
angle : Complex[T, D] -> Real[T, D] = angle
polar : Positive[T, D] @ Real[T, D] -> Complex[T, D] = polar
fft : Complex[T, D] -> Complex[T, D] = fft
fft : Complex[T, D] -> Complex[T, D] = fft[T]
ifft : Complex[T, D] -> Complex[T, D] = ifft
rfft : Real[D, T] -> Complex[D, T: T // 2 + 1] = rfft
rfft : Real[T, D] -> Complex[T: T // 2 + 1, D] = rfft[T]
irfft : Real[D, T] -> Real[D, T] = x => x >> rfft >> irfft(T)
irfft : Complex[D, T] -> Real[D, N: 4] = irfft(N: 4)
irfft : Complex[T, D] -> Real[N: 20, D] = irfft[T](N: 20)
hann_window : Real[T] -> Real[T] = x => x * hann_window[T]
"""

LOSSES = """
cross_entropy : Logits[C] @ Fin(C) -> Nats = cross_entropy
cross_entropy : Logits[T, C] @ Fin(C)[T] -> Nats = cross_entropy(smoothing = 0.1, ignore = 2)
cross_entropy : Logits(C)[C, H, W] @ Fin(C)[H, W] -> Nats = cross_entropy[C]
cross_entropy : Logits[C] @ Fin(C) -> Nats = cross_entropy(ignore = 0)
weighted_cross_entropy : Logits[T, C] @ Fin(C)[T] @ Positive[C] -> Nats = weighted_cross_entropy(0.1, ignore = 2)
weighted_cross_entropy : Logits[C] @ Fin(C) @ Positive[C] -> Nats = weighted_cross_entropy
weighted_cross_entropy : Logits[T, C] @ Fin(C)[T] -> Nats = (x, y) => {
    w = arange[C](1, 0.5)
    weighted_cross_entropy(smoothing = 0.1, ignore = 2)(x, y, w)
}
weighted_cross_entropy : Logits[C] @ Fin(C) -> Nats = (x, y) => {
    w = arange[C](1, 0.5)
    weighted_cross_entropy(x, y, w)
}
weighted_cross_entropy : Logits[T, C] @ Fin(C)[T] @ Positive[C] -> Nats = weighted_cross_entropy(average = "positions")
weighted_cross_entropy : Logits[T, C] @ Fin(C)[T] -> Nats = (x, y) => {
    w = arange[C](1, 0.5)
    weighted_cross_entropy(ignore = 1, average = "positions")(x, y, w)
}
soft_cross_entropy : Logits[T, C] @ Probs[T, C] -> Nats = soft_cross_entropy
nll_loss : LogProbs[T, C] @ Fin(C)[T] -> Nats = nll_loss(ignore = 1)
nll_loss : LogProbs[C] @ Fin(C) -> Nats = nll_loss
binary_cross_entropy : Prob[T] @ Prob[T] -> Nats = binary_cross_entropy
binary_cross_entropy_with_logits : Logits[T, D] @ Prob[T, D] -> Nats = binary_cross_entropy_with_logits
binary_cross_entropy_with_logits : Logits[T, D] @ Prob[T, D] -> Nats = binary_cross_entropy_with_logits(pos_weight = 3)
mse_loss : Real[T, D] @ Real[T, D] -> Real = mse_loss
mse_loss : Real @ Real -> Real = mse_loss
l1_loss : Real[T, D] @ Real[T, D] -> Real = l1_loss
huber_loss : Real[T, D] @ Real[T, D] -> Real = huber_loss(0.7)
smooth_l1_loss : Real[T, D] @ Real[T, D] -> Real = smooth_l1_loss(0.7)
kl_div : LogProbs[T, C] @ Probs[T, C] -> Nats = kl_div
kl_div : LogProbs[C] @ Probs[C] -> Nats = kl_div
hinge_loss : Real[T] @ Real[T] -> Real = (x, t) => hinge_loss(x, sign(t))
multi_margin_loss : Real[C] @ Fin(C) -> Real = multi_margin_loss
multi_margin_loss : Real[C] @ Fin(C) -> Real = multi_margin_loss(2, 0.5)
hinge_embedding_loss : Real[T] @ Real[T] -> Real = (x, t) => hinge_embedding_loss(x, sign(t))
cosine_embedding_loss : Real[T, D] @ Real[T, D] @ Real[T] -> Real = (x, y, t) => cosine_embedding_loss(x, y, sign(t))
margin_ranking_loss : Real[T] @ Real[T] @ Real[T] -> Real = (x, y, t) => margin_ranking_loss(0.3)(x, y, sign(t))
soft_margin_loss : Real[T] @ Real[T] -> Real = (x, t) => soft_margin_loss(x, sign(t))
triplet_margin_loss : Real[T, D] @ Real[T, D] @ Real[T, D] -> Real = triplet_margin_loss
triplet_margin_loss : Real[D] @ Real[D] @ Real[D] -> Real = triplet_margin_loss(margin = 2, p = 3)
focal_loss : Logits[T, C] @ Fin(C)[T] -> Nats = focal_loss
sigmoid_focal_loss : Logits[T] @ Prob[T] -> Nats = sigmoid_focal_loss
gaussian_nll_loss : Real[T] @ Var[T] @ Real[T] -> Nats = gaussian_nll_loss
poisson_nll_loss : Real[T] @ Real[T] -> Nats = poisson_nll_loss
mean_of : Real[T, D] -> Mean = mean_of
mean_of : Real[T] @ Positive[T] -> Mean = (x, y) => (x = x, weight = y) >> mean_of
ctc_loss : LogProbs[N, C] @ Fin(C)[X] -> Nats = ctc_loss
"""


def _cases(text: str) -> list[str]:
    return re.findall(r"^\w+ : .*(?:\n[ }].*)*", text, re.MULTILINE)


CASES = [
    case
    for text in (POINTWISE, ACTIVATIONS, REDUCTIONS, INDEX, GRADIENT, LINALG, SIGNAL, LOSSES)
    for case in _cases(text)
]
