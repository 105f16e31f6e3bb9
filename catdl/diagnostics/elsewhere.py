"""What PyTorch and numpy call things, and what catdl calls them: for names that are not catdl's.

said("cat")         "here `cat` is `concat[T]`, along the axis that is named"
same("cat")         "concat", if it is written in the same place
"""

from __future__ import annotations

# name elsewhere -> what is written here in its place, empty where that is not one name; and how
_NAMES: dict[str, tuple[str, str]] = {
    "True": ("true", "`true`"),
    "False": ("false", "`false`"),
    "Tensor": ("Real", "`Real[T, D]`, with the axes in brackets"),
    "Float": ("Real", "`Real`: a kind says what a number means, not how it is stored"),
    "float": ("Real", "`Real`: a kind says what a number means, not how it is stored"),
    "float32": ("Real", "`Real`: a kind says what a number means, not how it is stored"),
    "LongTensor": ("", "`Fin(n)[T]`: indices below n"),
    "Int": ("", "`Fin(n)[T]`: indices below n"),
    "int": ("", "`Fin(n)[T]`: indices below n"),
    "int64": ("", "`Fin(n)[T]`: indices below n"),
    "boolean": ("Bool", "`Bool`"),
    "none": ("", "said by leaving the argument out"),
    "None": ("", "said by leaving the argument out"),
    "cat": ("concat", "`concat[T]`, along the axis that is named"),
    "concatenate": ("concat", "`concat[T]`, along the axis that is named"),
    "hstack": ("concat", "`concat[T]`, along the axis that is named"),
    "vstack": ("concat", "`concat[T]`, along the axis that is named"),
    "reshape": ("", '`rearrange("t (h d) -> h t d", h = Head)`, or `flatten[H, W]` and `unflatten[D](Head, Dh)`'),
    "view": ("", '`rearrange("t (h d) -> h t d", h = Head)`, or `flatten[H, W]` and `unflatten[D](Head, Dh)`'),
    "transpose": ("", "`permute[D, T]`, which names the axes in their new order"),
    "swapaxes": ("", "`permute[D, T]`, which names the axes in their new order"),
    "t": ("", "`permute[D, T]`, which names the axes in their new order"),
    "unsqueeze": ("", "`expand[Out: 1]`, a new axis in front"),
    "chunk": ("split", "`split[D](3)`, into equal parts"),
    "unbind": ("", "`split[T](n)` and a `squeeze[T]` for each part"),
    "mul": ("", "the operator `*`"),
    "multiply": ("", "the operator `*`"),
    "sub": ("", "the operator `-`"),
    "subtract": ("", "the operator `-`"),
    "divide": ("", "the operator `/`"),
    "power": ("", "the operator `^`"),
    "bmm": ("matmul", "`matmul`, or `contract[D](q, k)`, which names what is summed"),
    "mm": ("matmul", "`matmul`, or `contract[D](q, k)`, which names what is summed"),
    "tensordot": ("", "`contract[D](q, k)`, which names what is summed"),
    "embedding": ("embed", "`embed(D)`"),
    "Embedding": ("embed", "`embed(D)`"),
    "Linear": ("linear", "`linear(n)`: what comes in says the rest"),
    "Conv1d": ("conv1d", "`conv1d(n, kernel)`: what comes in says the rest"),
    "Conv2d": ("conv2d", "`conv2d(n, kernel)`: what comes in says the rest"),
    "ReLU": ("relu", "`relu`"),
    "GELU": ("gelu", "`gelu`"),
    "SiLU": ("silu", "`silu`"),
    "Softmax": ("softmax", "`softmax`"),
    "Dropout": ("dropout", "`dropout`"),
    "LayerNorm": ("layernorm", "`layernorm`: what comes in says the rest"),
    "layer_norm": ("layernorm", "`layernorm`"),
    "RMSNorm": ("rmsnorm", "`rmsnorm`"),
    "rms_norm": ("rmsnorm", "`rmsnorm`"),
    "GroupNorm": ("groupnorm", "`groupnorm`"),
    "group_norm": ("groupnorm", "`groupnorm`"),
    "batch_norm": ("batchnorm", "`batchnorm`"),
    "BatchNorm2d": ("batchnorm", "`batchnorm`: what comes in says the rest"),
    "max_pool2d": ("maxpool", "`maxpool`"),
    "MaxPool2d": ("maxpool", "`maxpool`"),
    "avg_pool2d": ("avgpool", "`avgpool`"),
    "AvgPool2d": ("avgpool", "`avgpool`"),
    "Sequential": ("", "`f >> g >> h`"),
    "ModuleList": ("", "`repeat(n, f)`, or `chain([f, g, h])`"),
    "scaled_dot_product_attention": ("attend", "`attend`"),
    "MultiheadAttention": (
        "",
        "`attend`, after a `linear` and a `rearrange` for each of q, k and v",
    ),
    "detach": ("stop_gradient", "`stop_gradient`"),
    "bernoulli": ("", "`bernoulli_like`"),
    "randn_like": ("normal_like", "`normal_like`"),
    "rand_like": ("uniform_like", "`uniform_like`"),
    "logical_not": ("not", "`not`"),
    "amax": ("max", "`max[T]`"),
    "amin": ("min", "`min[T]`"),
    "tile": ("", "`expand[N]`, a new axis"),
}

# argument elsewhere -> what it is called here, in the order of likelihood; and what else is to be said
_ARGUMENTS: dict[str, tuple[tuple[str, ...], str]] = {
    "kernel_size": (("kernel",), ""),
    "out_channels": (("O",), ""),
    "out_features": (("O",), ""),
    "embedding_dim": (("D", "O"), ""),
    "num_groups": (("groups",), ""),
    "negative_slope": (("slope",), ""),
    "label_smoothing": (("smoothing",), ""),
    "ignore_index": (("ignore",), ""),
    "is_causal": (("causal",), ""),
    "dropout": (("dropout_p", "p"), ""),
    "dim": ((), "the axis is named in brackets: `{}[T]`"),
    "axis": ((), "the axis is named in brackets: `{}[T]`"),
    "keepdim": ((), "`{}` takes the axis away; `over[T, D](x - mean[D](x))` says how the result meets what has it"),
    "in_channels": ((), "leave it out: what comes in says it"),
    "in_features": ((), "leave it out: what comes in says it"),
    "num_features": ((), "leave it out: what comes in says it"),
    "normalized_shape": ((), "leave it out: what comes in says it"),
    "num_embeddings": ((), "leave it out: the `Fin(n)` that comes in says it"),
    "inplace": ((), "leave it out: nothing here changes what it is given"),
    "device": ((), "leave it out: a spec speaks of no device; the compiled module is moved"),
    "dtype": ((), "leave it out: a kind says what a number means; the compiled module is cast"),
}


def said(name: str) -> str:
    """What a name of PyTorch or numpy is here, empty for any other name."""
    return f"here `{name}` is {_NAMES[name][1]}" if name in _NAMES else ""


def same(name: str) -> str:
    """The name that is written here in the place of one of PyTorch or numpy, empty where there is none."""
    return _NAMES[name][0] if name in _NAMES else ""


def arguments(name: str, available: tuple[str, ...]) -> tuple[str, ...]:
    """What an argument of PyTorch is called here, among those there are."""
    return tuple(n for n in _ARGUMENTS[name][0] if n in available) if name in _ARGUMENTS else ()


def of_argument(name: str, function: str) -> str:
    """What is said here instead of an argument of PyTorch, empty where nothing is known."""
    return _ARGUMENTS[name][1].replace("{}", function) if name in _ARGUMENTS else ""
