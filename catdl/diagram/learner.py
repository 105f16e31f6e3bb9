"""A learner as it was checked: which Diagram is trained, on what data, and how.

Takes what the checker found in `learner digits { … }`; guarantees that the columns of the data are as many as the model
and the loss take, in their order and with their types, and that every setting is one there is, defaults filled in. It
knows no torch; `learn/` runs it.

    Learner("digits", model, loss, inputs, targets, …)
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from catdl.diagram.model import Diagram, Static
from catdl.record import record
from catdl.source import Span
from catdl.types.types import Leaf

Value: TypeAlias = "Fraction | bool | str | tuple[Value, ...] | Setting | None"


@record
class Setting:
    """`adamw(lr = 1e-3)`: a name and its arguments, by name, in the order in which they are declared."""

    name: str
    args: tuple[tuple[str, Value], ...]
    span: Span

    def __getitem__(self, name: str) -> Value:
        """An argument. Raises KeyError."""
        return dict(self.args)[name]

    def number(self, name: str) -> float:
        """A number among the arguments. Raises KeyError."""
        found = self[name]
        assert isinstance(found, Fraction)
        return float(found)

    def count(self, name: str) -> int:
        """A whole number among the arguments. Raises KeyError."""
        found = self[name]
        assert isinstance(found, Fraction)
        return int(found)

    def flag(self, name: str) -> bool:
        """A yes or no among the arguments. Raises KeyError."""
        return self[name] is True

    def text(self, name: str) -> str:
        """A text among the arguments. Raises KeyError."""
        found = self[name]
        assert isinstance(found, str)
        return found


@record
class Column:
    """A column of the data, `scale * x + shift` of what the file has under `source`, and what it is read as."""

    port: str
    source: str
    scale: Fraction
    shift: Fraction
    type: Leaf
    span: Span


@record
class Sizes:
    """In which column it stands how many elements each sample has along a var dim, named by its sym; None: not said."""

    dim: str
    source: str | None
    span: Span


@record
class Cut:
    """How a text is cut into samples: a window of so many bytes that begins after every so many, or, None, by lines."""

    window: int | None
    every: int


@record
class Foreign:
    """What code of another package gives when it is called: the target `pkg.mod:Name`, and arguments by name."""

    target: str
    args: tuple[tuple[str, Static], ...]
    span: Span


@record
class Data:
    """Where samples come from: the path of a `table`, a `text` or a folder of `images`, or what is `foreign`.

    Of what is foreign `place` is the target, and a column's source that is a number is a place in the sample.
    """

    how: str
    place: str
    columns: tuple[Column, ...]
    sizes: tuple[Sizes, ...]
    span: Span
    cut: Cut | None = None  # of a text
    foreign: Foreign | None = None


@record
class Metric:
    """What is told of a model beside its loss: a morphism from its results and the targets, averaged over samples.

    What is foreign is shown all samples instead, and says itself what they come to.
    """

    name: str
    what: Diagram | Foreign
    across: bool  # whether it takes the whole batch, along an axis of its own


@record
class Move:
    """`old <- every(500, w)`: declared weights that are not learned but written, and from which, leaf by leaf."""

    target: str
    source: str
    how: Setting  # `every(n)` copies, `ema(decay)` averages
    pairs: tuple[tuple[str, str], ...]  # the keys of each leaf and of what it is made of


@record
class Stop:
    """When training ends: a rule, or several joined by `|` (the first that says so) or `&` (all of them).

    `never`: no rule; such a learner is trained only by one that alternates it with others.
    """

    how: str  # "any", "all", "epochs", "steps", "patience", "target", "never"
    parts: tuple[Stop, ...]
    setting: Setting | None


@record
class Learner:
    """What is trained, on what and how. `model` is None where the loss holds the network itself.

    `still` are the keys of what it leaves as it is; no gradient comes to them in `model` and `loss`. `chosen`: it says
    what it trains. `moves` are done after each of its steps; `average` is of what it trains.

    `settings` are those that stand alone, by the name of the field, None for what is left out: optimizer, schedule,
    clip. `plain` are numbers and words: batch, accumulate, seed, device, precision.
    """

    name: str
    model: Diagram | None
    loss: Diagram
    inputs: int  # so many of the columns go to the model, the others to the loss
    data: Data
    validate: Data | Fraction | None
    test: Data | Fraction | None
    optimizer: Setting
    groups: tuple[Setting, ...]
    schedule: Setting | None
    clip: Setting | None
    metrics: tuple[Metric, ...]
    stop: Stop
    across: bool  # whether the loss takes the whole batch, along an axis of its own
    batch: int
    accumulate: int
    seed: int
    device: str
    precision: str
    still: frozenset[str]
    chosen: bool
    moves: tuple[Move, ...]
    average: Setting | None
    span: Span

    @property
    def trained(self) -> Diagram:
        """The Diagram whose weights are learned, and whose keys the checkpoint has."""
        return self.model if self.model is not None else self.loss


@record
class Turn:
    """So many steps of one learner, by its place among those that alternate."""

    place: int
    steps: int


@record
class Alternation:
    """Learners that train by turns, `alternate(5 * critic, artist)`: a step of it is all turns, one after the other.

    The learners have its `stop`, seed, device and precision. Declared parameters are the same ones in all of them.
    `moves` are done after each of its steps.
    """

    name: str
    learners: tuple[Learner, ...]
    turns: tuple[Turn, ...]
    moves: tuple[Move, ...]
    stop: Stop
    seed: int
    device: str
    precision: str
    span: Span
