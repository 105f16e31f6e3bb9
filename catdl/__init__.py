"""catdl: networks as objects and morphisms, checked before they run and compiled to PyTorch.

import catdl

spec = catdl.load("examples/digits.cat")
model = spec["mlp"].compile()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catdl.driver import CheckError, Compiled, Spec, load, loads

    __version__: str

__all__ = ["CheckError", "Compiled", "Spec", "load", "loads"]


def __getattr__(name: str) -> object:
    """Load the driver when something of it is first used: `import catdl` alone stays light."""
    if name == "__version__":
        from importlib.metadata import version

        return version("catdl")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from catdl import driver

    return getattr(driver, name)
