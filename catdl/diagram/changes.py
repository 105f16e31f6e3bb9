"""What the leaves of a diagram's parameters become: a change for each key, and changes as a tree of segments.

`plug.py` does them; whoever finds out what is to be done makes them.

    Change(steps=(add_low_rank,))      the leaf, then what the step makes of it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from catdl.diagram.model import Diagram, Init, Parameter
from catdl.record import record, replace


@record
class Change:
    """What a leaf becomes: how it is kept, then steps, each a diagram from the value before (or from nothing) to one.

    A step from nothing forgets the leaf and the steps before it. `init` and `group` are None where they stay.
    """

    steps: tuple[Diagram, ...] = ()
    frozen: bool = False
    init: Init | None = None
    group: str | None = None
    apart: bool = False  # it is plugged from outside: the rounds of a repeat around it have plugs of their own

    @property
    def kept(self) -> bool:
        """Whether the leaf is still a parameter."""
        return all(step.inputs for step in self.steps)

    def on(self, parameter: Parameter) -> Parameter:
        """The leaf as it is kept."""
        return replace(
            parameter,
            init=parameter.init if self.init is None else self.init,
            frozen=parameter.frozen or self.frozen,
            group=parameter.group if self.group is None else self.group,
            told=parameter.told or self.init is not None,
        )


UNCHANGED = Change()


def live(change: Change) -> tuple[Diagram, ...]:
    """The steps that count: from the last that forgets what was before, without those that do nothing."""
    start = max((k for k, step in enumerate(change.steps) if not step.inputs), default=0)
    return tuple(step for step in change.steps[start:] if step.outputs != step.inputs)


Tree: TypeAlias = "dict[str, Tree | Change]"


def tree_of(changes: Mapping[str, Change]) -> Tree:
    """Changes by the segments of their keys."""
    root: Tree = {}
    for path, change in changes.items():
        *above, last = path.split(".")
        node = root
        for segment in above:
            below = node.setdefault(segment, {})
            assert isinstance(below, dict)
            node = below
        node[last] = change
    return root


def under(node: Tree, path: str | None) -> Tree | Change | None:
    """What stands at a path."""
    found: Tree | Change | None = node
    for segment in path.split(".") if path is not None else ():
        if not isinstance(found, dict):
            return None
        found = found.get(segment)
    return found


def below(node: Tree, path: str | None) -> Tree:
    """The changes of what is below a path."""
    found = under(node, path)
    return found if isinstance(found, dict) else {}


def flat(node: Tree) -> dict[str, Change]:
    """The changes of a tree by path."""
    found: dict[str, Change] = {}
    stack: list[tuple[str, Tree | Change]] = [("", node)]
    while stack:
        path, at = stack.pop()
        if isinstance(at, Change):
            found[path] = at
        else:
            stack += [(f"{path}.{name}" if path else name, inner) for name, inner in reversed(at.items())]
    return found


def nested(site: str | None, node: Tree) -> Tree:
    """A tree under a path."""
    for segment in reversed(site.split(".") if site is not None else ()):
        node = {segment: node}
    return node
