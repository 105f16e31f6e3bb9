"""Sites of several segments: `chain` numbers its elements, so that they stand in lists of modules.

sites = Sites({"stage.0", "stage.1", "head"})
sites.expression("stage.1")                      "self.stage[1]"
sites.constructors({"stage.0": "A()", …}, {})    {"self.stage": "nn.ModuleList([A(), B()])", …}

What stands inside a module that another class makes is a lodger there: it is put in when that one is made.

sites.add("block.q.pair")
sites.lodge("block", {"", "q"})                  self.block makes itself, and self.block.q inside it
sites.constructors(…)                            {"self.block": "Block()", "self.block.q.pair": "Pair()"}
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from catdl.torch.names import attribute


def above(path: str) -> list[str]:
    """The paths that a path stands below, the shortest first."""
    parts = path.split(".")
    return [".".join(parts[:k]) for k in range(1, len(parts))]


class Sites:
    """All sites of one class and the containers that their common beginnings are."""

    __slots__ = ("_children", "_hosts")

    def __init__(self, sites: Iterable[str]) -> None:
        self._children: dict[str, dict[str, None]] = {}
        self._hosts: dict[str, None] = {}  # what is there already when lodgers come: a module, or one inside it
        for site in sites:
            self.add(site)

    def add(self, site: str) -> None:
        """Enter a site."""
        parts = site.split(".")
        for k in range(1, len(parts)):
            self._children.setdefault(".".join(parts[:k]), {})[parts[k]] = None

    def __contains__(self, site: str) -> bool:
        """Whether anything stands below a site."""
        return site in self._children

    def lodge(self, site: str, inside: Collection[str]) -> None:
        """Say that a module at a site makes what it needs itself; `inside`: the modules there, "" for itself."""
        stack = [("", site)] if "" in inside else []
        while stack:
            path, host = stack.pop()
            self._hosts[host] = None
            for name in reversed(self._children[host]):
                below = f"{path}.{name}" if path else name
                if below in inside and f"{host}.{name}" in self._children:
                    stack.append((below, f"{host}.{name}"))

    def leaf(self, site: str, name: str) -> str:
        """How the class reaches a leaf that no module of torch holds."""
        text = self.expression(site)
        return attribute(name, "_parameters", text) if site in self._hosts else f'{text}["{name}"]'

    def _is_list(self, prefix: str) -> bool:
        return set(self._children[prefix]) == {str(k) for k in range(len(self._children[prefix]))}

    def expression(self, site: str) -> str:
        """How the class reaches what stands at a site."""
        parts = site.split(".")
        text = attribute(parts[0], "_modules")
        for k in range(1, len(parts)):
            before = ".".join(parts[:k])
            if before in self._hosts:
                text = f"{text}[{parts[k]}]" if parts[k].isdecimal() else attribute(parts[k], "_modules", text)
                continue
            listed = self._is_list(before)
            text += f"[{parts[k]}]" if listed else f'["{parts[k]}"]'
        return text

    def constructors(self, made: Mapping[str, str], held: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """The statements of `__init__`: what is assigned to each attribute, in the order of first use.

        `made`: the modules by site, "" where there are only leaves; `held`: leaves without a module, by site and name.
        """
        tops = dict.fromkeys(site.partition(".")[0] for site in made)
        found = {attribute(top, "_modules"): self._text(top, made, held) for top in tops}
        for host in self._hosts:
            found |= {self.leaf(host, name): text for name, text in held.get(host, {}).items()}
            lodgers = [f"{host}.{name}" for name in self._children[host]]
            found |= {self.expression(one): self._text(one, made, held) for one in lodgers if one not in self._hosts}
        return found

    def _text(self, prefix: str, made: Mapping[str, str], held: Mapping[str, Mapping[str, str]]) -> str:
        if prefix in self._hosts:
            return made[prefix]
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
