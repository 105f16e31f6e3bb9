"""Why a symmetry is lost: the rule that a box breaks, with the words for it.

RULES[Rule.ADDED].how      "adds numbers that do not turn with it"
"""

from __future__ import annotations

from enum import Enum

from catdl.record import record
from catdl.source import Span


class Rule(Enum):
    """What may not be done to an axis on which a group acts: what a box does instead, and what to do."""

    SEPARATE = (
        "acts on each component by itself",
        "act on lengths and inner products, `norm[X](v)` or `contract[X](v, w)`, and multiply vectors by these",
    )
    ADDED = (
        "adds what does not turn with it",
        "leave out the bias, or add vectors to vectors",
    )
    MIXED = (
        "weighs the components one by one",
        "`equilinear` mixes channels of vectors and leaves their components alone",
    )
    SUMMED = (
        "adds up the components",
        "take the length, `norm[X](v)`, or an inner product, `contract[X](v, w)`",
    )
    EXTREME = (
        "picks components",
        "take the length, `norm[X](v)`, or an inner product, `contract[X](v, w)`",
    )
    METRIC = (
        "multiplies two vectors without the metric of space and time",
        "`metric = values[P]([1, -1, -1, -1])`, then `contract[P](p * metric, q)`",
    )
    REFLECTED = (
        "is turned round by reflections",
        "take the group without them: `vector(SO)`, `vector(ProperLorentz)`",
    )
    NUMBERED = (
        "meets numbers that stand at fixed places",
        "use the same weights at every place: `map[N](tied f)`, `linear` along another axis, `equilinear`",
    )
    ORDERED = (
        "goes by the order",
        "treat all places alike: sums, means, `max[N]`, attention, `equilinear`",
    )
    CUT = (
        "takes some places and leaves others",
        "treat all places alike: sums, means, `max[N]`, attention, `equilinear`",
    )
    STRIDE = (
        "takes some places of the cycle and leaves others",
        "take every place, with a stride of 1",
    )
    COARSER = (
        "takes some places of the grid and leaves others",
        "keep the axis, now coarser, in the result, or take every place",
    )
    WHOLE = (
        "reads the axis to its ends, where a shift brings other places",
        "keep the axis: convolutions, windows and functions of every place go as far as the border",
    )
    BORDER = (
        "puts an end to a cycle",
        'go round: `pad[Z](…, mode = "circular")` first, then no other padding',
    )
    SHIFTED = (
        "treats a point as if it were a vector",
        "subtract a point first: another one, or the mean, `x - mean[N](x)`",
    )
    WEIGHS = (
        "gives what moves with space otherwise than its type says",
        "points are means and moved points, `x + v`; a difference of points is a vector, `rename[P -> X](x - y)`",
    )
    DROPPED = (
        "counts places that are dropped or repeated",
        "treat every place by itself; what cannot be undone keeps no sum, mean or largest value",
    )
    STRETCHED = (
        "multiplies two vectors, and the group does not keep lengths",
        "combine vectors linearly, along other axes",
    )
    ASIDE = (
        "does to one axis what it does not do to those that change places with it",
        "do the same along all of them: `mean[H, W]`, square windows, one stride and one padding",
    )
    LOPSIDED = (
        "lies to one side along an axis that is turned round",
        "pad alike on both sides, and let windows reach from the first place to the last",
    )
    ALONE = (
        "has one of the axes that change places without the others",
        "give it all of them",
    )
    DIRECTED = (
        "meets weights that are not the same in all directions",
        "take the windows, `window[H](K) >> window[W](L)`, and `equilinear` over them",
    )
    INDEX = (
        "takes the number of an element for a number",
        "name elements only to take them, `gather[N](x, i)`, or to compare them, `i == index[N]`",
    )
    TAKEN = (
        "takes elements by numbers that do not go with them",
        "take them by indices that come with the data and are written as such, `Fin(N)[E]`",
    )
    TIES = (
        "names the first of equal elements",
        "take the value, `max[N]`, or a `softmax[N]` over the elements",
    )
    PARTED = (
        "tells apart places that were merged, not as they were merged",
        "split an axis as it was merged",
    )
    NOISE = (
        "draws noise that is not the same in all directions",
        "draw normal noise, or a number for each vector",
    )
    FOREIGN = (
        "is computed elsewhere, and what it keeps is not known",
        "give it what the group does not move, lengths and means",
    )
    KEPT = (
        "keeps it from call to call",
        "keep what the group does not move, lengths and means",
    )
    PLUGGED = (
        "uses it as a weight",
        "multiply by it: `contract[…](x, w)`",
    )
    RESULT = (
        "does not go as the type of the result says",
        "give the result the axes on which the group acts, or none of them",
    )

    @property
    def how(self) -> str:
        """What the box does."""
        return self.value[0]

    @property
    def instead(self) -> str:
        """What to use instead."""
        return self.value[1]


@record
class Smaller:
    """A part of the group that may still be kept: shifts by multiples of a number, or what is no reflection."""

    step: int = 1
    proper: bool = False


@record
class Loss:
    """Where a symmetry is lost: the box by its place and name, the axis where one is to blame, the rule."""

    rule: Rule
    span: Span
    name: str
    smaller: Smaller | None = None


@record
class Broken:
    """A rule that an operation breaks, told without its place."""

    rule: Rule
    smaller: Smaller | None = None
