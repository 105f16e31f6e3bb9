"""How a parameter starts, as statements of `reset_parameters`.

initial("self.wte", Init("normal", (0, 0.02)), 0)     ["nn.init.normal_(self.wte, 0.0, 0.02)"]
"""

from __future__ import annotations

from catdl.diagram.model import Init, Parameter
from catdl.types.types import axis_sizes

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

_SHAPELESS = frozenset(("normal", "uniform", "zeros", "ones", "constant", "trunc_normal", "fan_in_uniform"))
NAMES = frozenset((*_PLAIN, "fan_in_uniform"))


def initial(target: str, init: Init, stacked: int) -> list[str]:
    """The statements that fill a parameter, slice by slice where its shape counts and the first axes are of `each`."""
    stacked += init.lead
    if not stacked or init.name in _SHAPELESS:
        return [_statement(target, init)]
    whole = target if stacked == 1 else f"{target}.flatten(0, {stacked - 1})"
    return [f"for index in range(len({whole})):", "    " + _statement(f"{whole}[index]", init)]


def filled(parameter: Parameter) -> str:
    """A buffer as it starts: zeros or ones."""
    assert parameter.init.name in ("zeros", "ones")
    return f"torch.{parameter.init.name}({', '.join(str(size) for size in axis_sizes(parameter.type)) or '()'})"


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
