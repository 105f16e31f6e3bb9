"""What a number in generated code would be called: the keyword it is given to, or what torch calls the argument.

hints(Skeleton of "self.conv = nn.Conv2d(3, 64, 7, stride=2)")
    [Hint("in_channels", "conv"), Hint("out_channels", "conv"), Hint("kernel_size", "conv"), Hint("stride", "conv")]
"""

from __future__ import annotations

import re
from typing import NamedTuple

from catdl.torch.skeleton import LINE, SECTION, Skeleton

_CALLEE = re.compile(r"([A-Za-z_][\w.]*)$")
_LINES = re.compile(f"[{LINE}{SECTION}]")
_ASSIGNED = re.compile(r"self\.(\w+) = ")
_KEYWORD = re.compile(r"([a-z_]+)=$")

_CONV = ("in_channels", "out_channels", "kernel_size")
_POSITIONAL: dict[str, tuple[str, ...]] = {
    "nn.Linear": ("in_features", "out_features"),
    "nn.Bilinear": ("in1_features", "in2_features", "out_features"),
    "nn.Embedding": ("num_embeddings", "embedding_dim"),
    **{f"nn.Conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"nn.ConvTranspose{n}d": _CONV for n in (1, 2, 3)},
    **{f"nn.BatchNorm{n}d": ("num_features",) for n in (1, 2, 3)},
    **{f"F.{kind}_pool{n}d": ("", "kernel_size") for kind in ("max", "avg") for n in (1, 2, 3)},
    "nn.GroupNorm": ("num_groups", "num_channels"),
    "F.dropout": ("", "p"),
    "F.leaky_relu": ("", "slope"),
    "range": ("count",),
    "nn.init.constant_": ("", "value"),
    "nn.init.normal_": ("", "mean", "std"),
    "nn.init.trunc_normal_": ("", "mean", "std"),
}


class Hint(NamedTuple):
    """A name, empty where nothing says, and the attribute in whose making the number stands."""

    name: str
    attribute: str


def hints(skeleton: Skeleton) -> list[Hint]:
    """For each slot its hint."""
    found: list[Hint] = []
    attribute = ""
    calls: list[tuple[str, int]] = []  # the calls that are open, and how many commas each has had
    for text, _ in zip(skeleton.texts, skeleton.slots, strict=False):
        for line in _LINES.split(text)[1 if found else 0 :]:
            assigned = _ASSIGNED.match(line)
            attribute = assigned[1] if assigned else ""
        in_string = False
        for k, ch in enumerate(text):
            if ch == '"':
                in_string = not in_string
            elif in_string:
                continue
            elif ch in "([{":
                opened = _CALLEE.search(text, 0, k) if ch == "(" else None
                calls.append((opened[1] if opened else "", 0))
            elif ch in ")]}" and calls:
                calls.pop()
            elif ch == "," and calls:
                calls[-1] = (calls[-1][0], calls[-1][1] + 1)
        keyword = _KEYWORD.search(text)
        callee, place = calls[-1] if calls else ("", 0)
        names = _POSITIONAL.get(callee, ())
        name = keyword[1] if keyword else names[place] if place < len(names) else ""
        found.append(Hint(name, attribute))
    return found
