"""Small specs, one or more for every layer of the prelude: `name : domain -> codomain = expression`.

`function_cases.spec` declares the dims they use.
"""

from __future__ import annotations

import re

SIZES = {"T": 5, "D": 4, "H": 7, "W": 6, "C": 4, "L": 9, "Z": 3, "M": 3, "N": 8, "G": 2, "U": 3, "V": 5, "X": 2}

LINEAR = """
linear : Real[T, D] -> Real[T, 3] = linear(3)
linear : Real[D] -> Real[C] = linear(bias = false)
linear : Real[D, T] -> Real[M, T] = linear[D](M)
linear : Real[D] -> Real[D] = linear(D)
linear_onto : Real[T, D] -> Real[T, M, G] = linear_onto[D, M, G]
linear_onto : Real[T, D] -> Real[T, M, G] = linear_onto[D, M, G](bias = false)
linear_from : Real[T, M, G] -> Real[T, D] = linear_from[M, G](D)
linear_from : Real[T, M, G] -> Real[T, 5] = linear_from[M, G](5, bias = false)
bilinear : Real[T, D] @ Real[T, C] -> Real[T, 3] = bilinear(3)
bilinear : Real[D] @ Real[C] -> Real[3] = bilinear(3, bias = false)
embed : Fin(N)[T] -> Real[T, D] = embed(D)
embed : Fin(N) -> Real[3] = embed(3)
"""

CONV = """
conv1d : Real[C, L] -> Real[6, L] = conv1d(6, 3, padding = 1)
conv1d : Real[C, L] -> Real[6, L] = conv1d(6, 3, padding = "causal", dilation = 2)
conv1d : Real[C, L] -> Real[6, L] = conv1d(6, 4, padding = "same", groups = 2)
conv1d : Real[C, L] -> Real[6, L: 4] = conv1d(6, 3, stride = 2, padding = "valid", bias = false)
conv1d : Real[T, C, L] -> Real[T, 6, L: 7] = conv1d(6, 3)
conv1d : Real[L, C] -> Real[L, 6] = conv1d[C, L](6, 3, padding = 1)
conv2d : Real[C, H, W] -> Real[5, H: 4, W: 3] = conv2d(5, 3, stride = 2, padding = 1)
conv2d : Real[C, H, W] -> Real[C, H, W: 4] = conv2d(C, [1, 3])
conv2d : Real[C, H, W] -> Real[6, H: 4, W: 6] = conv2d(6, [2, 3], stride = [2, 1], padding = [1, 2],
  dilation = [1, 2], groups = 2)
conv2d : Real[C, H, W] -> Real[2, H, W] = conv2d(2, 4, padding = "same", bias = false)
conv : Real[C, H, W] -> Real[5, H: 5, W: 4] = conv(5, 3)
conv3d : Real[C, Z, H, W] -> Real[2, Z: 3, H: 5, W: 2] = conv3d(2, [1, 3, 3], stride = [1, 1, 2])
conv3d : Real[C, Z, H, W] -> Real[2, Z: 2, H: 4, W: 3] = conv3d(2, 3, stride = 2, padding = 1, groups = 2)
depthwise_conv1d : Real[C, L] -> Real[C, L] = depthwise_conv1d(3, padding = "causal")
depthwise_conv2d : Real[C, H, W] -> Real[C, H: 4, W: 3] = depthwise_conv2d(3, stride = 2, padding = 1)
depthwise_conv2d : Real[C, H, W] -> Real[C, H, W] = depthwise_conv2d(3, padding = "same", bias = false)
conv_transpose1d : Real[C, L] -> Real[3, L: 19] = conv_transpose1d(3, 3, stride = 2)
conv_transpose1d : Real[C, L] -> Real[6, L: 18] = conv_transpose1d(6, 3, stride = 2, padding = 1,
  output_padding = 1, groups = 2)
conv_transpose2d : Real[C, H, W] -> Real[3, H: 14, W: 12] = conv_transpose2d(3, 2, stride = 2)
conv_transpose2d : Real[C, H, W] -> Real[2, H: 13, W: 14] = conv_transpose2d(2, [3, 4], stride = 2,
  padding = [1, 0], bias = false)
conv_transpose2d : Real[C, H, W] -> Real[2, H: 11, W: 10] = conv_transpose2d(2, 3, dilation = 2)
conv_transpose3d : Real[C, Z, H, W] -> Real[2, Z: 6, H: 14, W: 12] = conv_transpose3d(2, 2, stride = 2)
im2col : Real[C, H, W] -> Real[36, 20] = im2col(3)
im2col : Real[C, H, W] -> Real[16, 12] = im2col(2, stride = 2, padding = [1, 0], dilation = 1)
"""

POOL = """
maxpool1d : Real[C, L] -> Real[C, L: 4] = maxpool1d(2)
maxpool2d : Real[C, H, W] -> Real[C, H: 3, W: 3] = maxpool2d(2)
maxpool2d : Real[H, W] -> Real[H: 4, W: 3] = maxpool2d(3, stride = 2, padding = 1)
maxpool2d : Real[T, C, H, W] -> Real[T, C, H: 3, W: 2] = maxpool2d(3, stride = 2)
maxpool2d : Real[C, H, W] -> Real[C, H: 3, W: 2] = maxpool2d(3, stride = [2, 2], padding = [1, 1], dilation = 2)
maxpool : Real[C, H, W] -> Real[C, H: 3, W: 3] = maxpool(2)
maxpool3d : Real[C, Z, H, W] -> Real[C, Z: 3, H: 3, W: 3] = maxpool3d([1, 2, 2])
avgpool1d : Real[C, L] -> Real[C, L: 5] = avgpool1d(3, stride = 2, padding = 1)
avgpool1d : Real[C, L] -> Real[C, L: 5] = avgpool1d(3, stride = 2, padding = 1, count_include_pad = false)
avgpool2d : Real[C, H, W] -> Real[C, H: 3, W: 3] = avgpool2d(2)
avgpool2d : Real[C, H, W] -> Real[C, H: 4, W: 3] = avgpool2d(3, stride = 2, padding = 1, count_include_pad = false)
avgpool : Real[C, H, W] -> Real[C, H: 3, W: 3] = avgpool(2)
avgpool3d : Real[C, Z, H, W] -> Real[C, Z: 1, H: 3, W: 3] = avgpool3d([2, 2, 2])
lppool2d : Real[C, H, W] -> Real[C, H: 3, W: 3] = lppool2d(3, 2)
maxpool1d : Real[C, L: 8] -> Real[C, L: 4] = maxpool1d(3, stride = 2, ceil_mode = true)
maxpool1d : Real[C, L: 9] -> Real[C, L: 3] = maxpool1d(2, stride = 4, ceil_mode = true)
maxpool1d : Real[C, L: 8] -> Real[C, L: 3] = maxpool1d(2, stride = 4, padding = 1, ceil_mode = true)
maxpool2d : Real[C, H: 8, W: 7] -> Real[C, H: 5, W: 4] = maxpool2d(3, stride = 2, padding = 1, ceil_mode = true)
maxpool3d : Real[C, Z: 5, H: 4, W: 5] -> Real[C, Z: 3, H: 2, W: 3] = maxpool3d(2, ceil_mode = true)
avgpool1d : Real[C, L: 8] -> Real[C, L: 4] = avgpool1d(3, stride = 2, ceil_mode = true)
avgpool1d : Real[C, L: 8] -> Real[C, L: 5] = avgpool1d(3, stride = 2, padding = 1, ceil_mode = true)
avgpool2d : Real[C, H: 8, W: 7] -> Real[C, H: 5, W: 4] = avgpool2d(3, 2, 1, count_include_pad = false, ceil_mode = true)
avgpool3d : Real[C, Z: 5, H: 4, W: 5] -> Real[C, Z: 3, H: 2, W: 3] = avgpool3d(2, ceil_mode = true)
adaptive_avgpool1d : Real[C, L] -> Real[C, L: 4] = adaptive_avgpool1d(4)
adaptive_avgpool2d : Real[C, H, W] -> Real[C, H: 1, W: 1] = adaptive_avgpool2d(1)
adaptive_avgpool2d : Real[C, H, W] -> Real[C, H: 3, W: 8] = adaptive_avgpool2d([3, 8])
adaptive_avgpool3d : Real[C, Z, H, W] -> Real[C, Z: 2, H: 3, W: 1] = adaptive_avgpool3d([2, 3, 1])
adaptive_maxpool3d : Real[C, Z, H, W] -> Real[C, Z: 2, H: 3, W: 4] = adaptive_maxpool3d([2, 3, 4])
adaptive_maxpool1d : Real[C, L] -> Real[C, L: 4] = adaptive_maxpool1d(4)
adaptive_maxpool2d : Real[C, H, W] -> Real[C, H: 3, W: 2] = adaptive_maxpool([3, 2])
global_avgpool : Real[C, H, W] -> Real[C] = global_avgpool
global_maxpool : Real[C, L] -> Real[C] = global_maxpool
"""

NORM = """
layernorm : Real[T, D] -> Real[T, D] = layernorm
layernorm : Real[T, D] -> Real[T, D] = layernorm[T](eps = 0.1)
layernorm : Real[T, D] -> Real[T, D] = layernorm(affine = false)
layernorm : Real[T, D] -> Real[T, D] = layernorm(bias = false)
layernorm_over : Real[C, H, W] -> Real[C, H, W] = layernorm_over[C, H, W]
layernorm_over : Real[C, H, W] -> Real[C, H, W] = layernorm_over[H, W](affine = false)
layernorm_over : Real[C, H, W] -> Real[C, H, W] = layernorm_over[C, H](bias = false)
rmsnorm : Real[T, D] -> Real[T, D] = rmsnorm
rmsnorm : Real[T, D] -> Real[T, D] = rmsnorm[T](eps = 1e-2, affine = false)
groupnorm : Real[C, H, W] -> Real[C, H, W] = groupnorm(2)
groupnorm : Real[C, L] -> Real[C, L] = groupnorm(4, affine = false, eps = 0.1)
groupnorm : Real[C] -> Real[C] = groupnorm(2)
instancenorm : Real[C, H, W] -> Real[C, H, W] = instancenorm
instancenorm : Real[C, L] -> Real[C, L] = instancenorm(affine = true)
batchnorm : Real[C, H, W] -> Real[C, H, W] = batchnorm
batchnorm : Real[C] -> Real[C] = batchnorm(affine = false)
batchnorm : Real[C, L] -> Real[C, L] = batchnorm1d(eps = 0.1, momentum = 0.2)
batchnorm : Real[C, Z, H, W] -> Real[C, Z, H, W] = batchnorm3d
normalize : Real[T, D] -> Real[T, D] = normalize
normalize : Real[T, D] -> Real[T, D] = normalize[T](p = 3)
"""

DROPOUT = """
dropout : Real[T, D] -> Real[T, D] = dropout
channel_dropout : Real[C, H, W] -> Real[C, H, W] = channel_dropout(0.3)
drop_path : Real[C, H, W] -> Real[C, H, W] = drop_path(0.2)
alpha_dropout : Real[T, D] -> Real[T, D] = alpha_dropout(0.1)
"""

QKV = "(q: Real[M, T, D], k: Real[M, T, D], v: Real[M, T, C])"
CROSS = "(q: Real[M, T, D], k: Real[M, L, D], v: Real[M, L, C])"
GROUPED = "(q: Real[C, T, D], k: Real[G, T, D], v: Real[G, T, D])"

ATTENTION = f"""
attend : {QKV} -> Real[M, T, C] = attend
attend : {QKV} -> Real[M, T, C] = attend(causal = true)
attend : {QKV} -> Real[M, T, C] = attend(causal = true, scale = 0.3)
attend : {QKV} -> Real[M, T, C] = attend(causal = true, window = 2)
attend : {QKV} -> Real[M, T, C] = attend(window = 3)
attend : {QKV} -> Real[M, T, C] = attend(softcap = 2)
attend : {QKV} -> Real[M, T, C] = attend(causal = true, softcap = 2, window = 3, scale = 0.5)
attend : (q: Real[T, D], k: Real[L, D], v: Real[L, D]) -> Real[T, D] = attend
attend : {CROSS} -> Real[M, T, C] = attend
attend : {CROSS[:-1]}, mask: Keep[T, L]) -> Real[M, T, C] = attend
attend : {CROSS[:-1]}, mask: Keep[M, T, L]) -> Real[M, T, C] = attend(mask = true, window = 4)
attend : {CROSS[:-1]}, bias: Real[T, L]) -> Real[M, T, C] = attend(bias = true)
attend : {CROSS[:-1]}, mask: Keep[T, L], bias: Real[M, T, L]) -> Real[M, T, C] = attend(mask = true, bias = true)
attend : {CROSS[:-1]}, mask: Keep[T, L], bias: Real[M, T, L]) -> Real[M, T, C] = attend(mask = true, bias
  = true, softcap = 3)
attend : {QKV[:-1]}, bias: Real[M, T, T']) -> Real[M, T, C] = (q, k, v, b) => (q = q, k = k >> rename[T
  -> T'], v = v >> rename[T -> T'], bias = b) >> attend(causal = true, bias = true)
attend : (q: Real[X, M, T, D], k: Real[X, M, T, D], v: Real[X, M, T, C]) -> Real[X, M, T, C] = attend(causal = true)
grouped_attend : {GROUPED} -> Real[C, T, D] = grouped_attend
grouped_attend : {GROUPED} -> Real[C, T, D] = grouped_attend(causal = true)
grouped_attend : {GROUPED} -> Real[C, T, D] = grouped_attend(causal = true, softcap = 2, window = 2)
"""

POSITIONS = """
positions : Real[T, D] -> Real[T, D] = positions(N)
positions : Real[M, T, D] -> Real[M, T, D] = positions(5)
sinusoidal : Real[T, D] -> Real[T, D] = sinusoidal
sinusoidal : Real[T, D] -> Real[T, D] = sinusoidal("half", base = 100)
rotary : Real[M, T, D] -> Real[M, T, D] = rotary("half")
rotary : Real[M, T, D] -> Real[M, T, D] = rotary("interleaved", base = 500, factor = 2)
t5_bias : () -> Real[M, T, L] = t5_bias[T, L](M)
t5_bias : () -> Real[M, L, T] = t5_bias[L, T](M, buckets = 6, max_distance = 5, bidirectional = false)
alibi : () -> Real[M, T, L] = alibi[T, L](M)
alibi : () -> Real[N, T, L] = alibi
"""

SHAPE = """
shift : Real[T, D] -> Real[T, D] = shift[T]
shift : Real[T, D] -> Real[T, D] = shift(-2, value = 0.5)
shift : Real[T, D] -> Real[T, D] = shift[T](0)
shift : Fin(N)[T, D] -> Fin(N)[T, D] = shift[T](2, value = 1)
roll : Real[T, D] -> Real[T, D] = roll[T](2)
roll : Fin(N)[T, D] -> Fin(N)[T, D] = roll(-1)
patchify : Real[C, H: 6, W: 9] -> Real[6, 36] = patchify(3)
pixel_shuffle : Real[C, H, W] -> Real[C: 1, H: 14, W: 12] = pixel_shuffle(2)
pixel_unshuffle : Real[C, H: 6, W: 4] -> Real[C: 16, H: 3, W: 2] = pixel_unshuffle(2)
channel_shuffle : Real[C, H, W] -> Real[C, H, W] = channel_shuffle[C](2)
interpolate1d : Real[C, L] -> Real[C, L: 14] = interpolate1d(14)
interpolate1d : Real[C, L] -> Real[C, L: 5] = interpolate1d(5, mode = "linear")
interpolate1d : Real[C, L] -> Real[C, L: 14] = interpolate1d(14, mode = "cubic")
interpolate : Real[C, H, W] -> Real[C, H: 9, W: 4] = interpolate([9, 4])
interpolate : Real[C, H, W] -> Real[C, H: 9, W: 4] = interpolate([9, 4], mode = "nearest-exact")
interpolate : Real[C, H, W] -> Real[C, H: 9, W: 4] = interpolate([9, 4], mode = "linear")
interpolate : Real[C, H, W] -> Real[C, H: 9, W: 4] = interpolate([9, 4], mode = "linear", align_corners = true)
interpolate : Real[C, H, W] -> Real[C, H: 9, W: 4] = interpolate([9, 4], mode = "cubic")
interpolate : Real[C, H, W] -> Real[C, H: 9, W: 4] = interpolate([9, 4], mode = "cubic", align_corners = true)
interpolate : Real[H, W] -> Real[H: 10, W: 10] = interpolate(10)
upsample : Real[C, H, W] -> Real[C, H: 14, W: 12] = upsample(2)
upsample : Real[C, H, W] -> Real[C, H: 21, W: 12] = upsample([3, 2], mode = "linear")
grid_sample : Real[C, H, W] @ Real[U, V, X] -> Real[C, U, V] = grid_sample
grid_sample : Real[C, H, W] @ Real[U, V, X] -> Real[C, U, V] = grid_sample(align_corners = true)
grid_sample : Real[C, H, W] @ Real[U, V, X] -> Real[C, U, V] = grid_sample(padding = "border")
grid_sample : Real[C, H, W] @ Real[U, V, X] -> Real[C, U, V] = grid_sample(mode = "nearest")
"""

GROUPS = {
    "linear": LINEAR,
    "conv": CONV,
    "pool": POOL,
    "norm": NORM,
    "dropout": DROPOUT,
    "attention": ATTENTION,
    "positions": POSITIONS,
    "shape": SHAPE,
}


def cases(text: str) -> list[str]:
    """One case a line; an indented line goes on with the one before."""
    return re.sub(r"\n  +", " ", text.strip()).splitlines()


CASES = [case for text in GROUPS.values() for case in cases(text)]

FREE_DIMS = (
    "dim T : time, H, W, C = 4, D = 8, Head = 2, Context = 16, Patch = 6\nwhere 4 | H, 4 | W, T >= 1, H >= 4, W >= 4\n"
)
FREE_SIZES = {"T": 5, "H": 8, "W": 12}

FREE = """
Real[C, H, W] -> Real[8, H, W] = conv2d(8, 3, padding = 1)
Real[C, H, W] -> Real[8, H: H // 2, W: W // 2] = conv2d(8, 3, padding = 1, stride = 2)
Real[C, H, W] -> Real[8, H: H // 2, W: W // 2] = conv2d(8, 3, padding = 1) >> relu >> maxpool2d(2)
Real[C, H, W] -> Real[8, H: H * 2, W: W * 2] = conv_transpose2d(8, 2, stride = 2)
Real[C, H, W] -> Real[C, H: 2 * H, W: 2 * W] = upsample(2, mode = "linear")
Real[C, H, W] -> Real[C, H: 5, W: 5] = interpolate(5, mode = "cubic")
Real[C, H, W] -> Real[C, H: 3, W: 3] = adaptive_avgpool2d(3)
Real[C, H, W] -> Real[D] = patchify[Patch](4) >> linear(D) >> layernorm >> mean[Patch]
Real[T, D] -> Real[T, D] = positions(Context) >> sinusoidal >> rotary("half") >> rmsnorm
Real[T, D] -> Real[T, D] = shift[T](1) >> roll[T](-1)
Real[T, D] -> Real[T, D] = conv1d[D, T](D, 3, padding = "causal")
Real[C, H, W] -> Real[C, H, W] = groupnorm(2) >> instancenorm >> batchnorm
Real[Head, T, D] -> Real[Head, T, D] = x => (q = x, k = x, v = x) >> attend(causal = true)
Real[Head, T, D] -> Real[Head, T, D] = x => (q = x, k = x >> rename[T -> T'], v = x >> rename[T -> T'],
  bias = alibi[T, T'](Head)) >> attend(causal = true, window = 3)
Real[Head, T, D] -> Real[Head, T, D] = x => (q = x, k = x >> rename[T -> T'], v = x >> rename[T -> T'],
  bias = t5_bias[T, T'](Head)) >> attend
"""
