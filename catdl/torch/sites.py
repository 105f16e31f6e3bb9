"""Sites of several segments: `chain` numbers its elements, so that they stand in lists of modules.

sites = Sites({"stage.0", "stage.1", "head"})
sites.expression("stage.1")                      "self.stage[1]"
sites.constructors({"stage.0": "A()", …}, {})    {"self.stage": "nn.ModuleList([A(), B()])", …}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from catdl.torch.names import attribute


class Sites:
    """All sites of one class and the containers that their common beginnings are."""

    __slots__ = ("_children",)

    def __init__(self, sites: Iterable[str]) -> None:
        self._children: dict[str, dict[str, None]] = {}
        for site in sites:
            self.add(site)

    def add(self, site: str) -> None:
        """Enter a site."""
        parts = site.split(".")
        for k in range(1, len(parts)):
            self._children.setdefault(".".join(parts[:k]), {})[parts[k]] = None

    def _is_list(self, prefix: str) -> bool:
        return set(self._children[prefix]) == {str(k) for k in range(len(self._children[prefix]))}

    def expression(self, site: str) -> str:
        """How the class reaches what stands at a site."""
        parts = site.split(".")
        text = attribute(parts[0], "_modules")
        for k in range(1, len(parts)):
            listed = self._is_list(".".join(parts[:k]))
            text += f"[{parts[k]}]" if listed else f'["{parts[k]}"]'
        return text

    def constructors(self, made: Mapping[str, str], held: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """The statements of `__init__`: what is assigned to each attribute, in the order of first use.

        `made`: the modules by site, "" where there are only leaves; `held`: leaves without a module, by site and name.
        """
        tops = dict.fromkeys(site.partition(".")[0] for site in made)
        return {attribute(top, "_modules"): self._text(top, made, held) for top in tops}

    def _text(self, prefix: str, made: Mapping[str, str], held: Mapping[str, Mapping[str, str]]) -> str:
        children = self._children.get(prefix)
        if (leaves := held.get(prefix)) and not made.get(prefix):
            parts = {name: self._text(f"{prefix}.{name}", made, held) for name in children or ()}
            return _parameters({**leaves, **parts})
        if children is None:
            return made.get(prefix, "nn.Identity()")  # a round that is given all its weights: its place in the list
        if self._is_list(prefix):
            items = [self._text(f"{prefix}.{k}", made, held) for k in range(len(children))]
            return f"nn.ModuleList([{', '.join(items)}])"
        pairs = ", ".join(f'"{name}": {self._text(f"{prefix}.{name}", made, held)}' for name in children)
        return f"nn.ModuleDict({{{pairs}}})"


def _parameters(items: Mapping[str, str]) -> str:
    """A module of parameters, and of modules beside them."""
    if list(items) == sorted(items):
        pairs = ", ".join(f'"{name}": {text}' for name, text in items.items())
        return f"nn.ParameterDict({{{pairs}}})"
    pairs = ", ".join(f'("{name}", {text})' for name, text in items.items())  # torch sorts what comes in a dict
    return f"nn.ParameterDict([{pairs}])"
