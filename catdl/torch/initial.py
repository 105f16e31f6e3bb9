"""How a parameter starts, as statements of `reset_parameters`.

initial("self.wte", Init("normal", (0, 0.02)), 0)     ["nn.init.normal_(self.wte, 0.0, 0.02)"]
"""

from __future__ import annotations

import json

from catdl.diagram.model import Init

_PLAIN = {
    "normal": "normal_",
    "uniform": "uniform_",
    "zeros": "zeros_",
    "ones": "ones_",
    "constant": "constant_",
    "kaiming_uniform": "kaiming_uniform_",
    "kaiming_normal": "kaiming_normal_",
    "xavier_uniform": "xavier_uniform_",
    "xavier_normal": "xavier_normal_",
    "trunc_normal": "trunc_normal_",
    "eye": "eye_",
    "orthogonal": "orthogonal_",
}

NO_GRAD = "with torch.no_grad():"
_SHAPELESS = frozenset(
    ("normal", "uniform", "zeros", "ones", "constant", "trunc_normal", "fan_in_uniform", "file", "formula")
)
NAMES = frozenset((*_PLAIN, "fan_in_uniform"))


def initial(target: str, init: Init, stacked: int, made: str | None = None) -> list[str]:
    """The statements that fill a parameter, slice by slice where its shape counts and the first axes are of `each`.

    `made` is the expression of a formula.
    """
    stacked += init.lead
    if init.name in ("file", "formula"):
        return [NO_GRAD, f"    {target}.copy_({made if made is not None else _read(init)})"]
    if not stacked or init.name in _SHAPELESS:
        return [_statement(target, init)]
    whole = target if stacked == 1 else f"{target}.flatten(0, {stacked - 1})"
    return [f"for index in range(len({whole})):", "    " + _statement(f"{whole}[index]", init)]


def _read(init: Init) -> str:
    """What a file holds."""
    path, *key = init.args
    if str(path).endswith(".npy"):
        return f"torch.from_numpy(numpy.load({_quoted(path)}))"
    return f"safetensors.torch.load_file({_quoted(path)})[{_quoted(key[0] if key else '')}]"


def _quoted(text: float | int | str) -> str:
    return json.dumps(str(text), ensure_ascii=False)


def reader(init: Init) -> str | None:
    """The package that reads the file of an initialiser."""
    if init.name != "file":
        return None
    return "numpy" if str(init.args[0]).endswith(".npy") else "safetensors.torch"


def _statement(target: str, init: Init) -> str:
    """`kaiming_uniform` without argument is what torch's layers start with."""
    if init.name == "fan_in_uniform":
        return f"nn.init.uniform_({target}, -({init.args[0]}**-0.5), {init.args[0]}**-0.5)"
    name = _PLAIN.get(init.name)
    if name is None:
        raise AssertionError(f"no initialiser is called `{init.name}`")
    if init.name == "kaiming_uniform" and not init.args:
        return f"nn.init.kaiming_uniform_({target}, a=math.sqrt(5))"
    args = "".join(f", {_number(arg)}" for arg in init.args)
    return f"nn.init.{name}({target}{args})"


def _number(arg: float | int | str) -> str:
    return repr(arg) if isinstance(arg, str) else repr(float(arg))
