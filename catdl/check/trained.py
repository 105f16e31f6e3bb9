"""What a learner trains: the weights that it says, all others left as they are, and weights that are copies of others.

Takes `train` and lines such as `old <- every(500, w)`; guarantees the keys of what is left as it is, and for each such
line two lists of leaves that are alike, or mistakes. What is written so is not trained.

    train = [w, weights("head.**")]
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.context import Context
from catdl.check.forms import aliased
from catdl.check.plugs import pattern
from catdl.check.scope import Env, ParamDef
from catdl.check.settings import CHOICES, MOVES, setting
from catdl.check.static import Refused
from catdl.diagnostics.suggest import near
from catdl.diagram.learned import Weight
from catdl.diagram.learner import Move
from catdl.record import record
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import show_leaf

_LISTED = 12


@record
class Trained:
    """The keys that a learner leaves as they are, whether it says which it trains, and what it writes."""

    still: frozenset[str]
    chosen: bool
    moves: tuple[Move, ...]


def trained(
    ctx: Context, env: Env, train: ast.Expr | None, stores: list[ast.Store], weights: tuple[Weight, ...]
) -> Trained:
    """What is trained of these weights. Raises Refused once all mistakes are told."""
    sound = not isinstance(train, ast.Bad)
    chosen: dict[str, Span] = {}
    items = train.items if isinstance(train, ast.List) else () if train is None or not sound else (train,)
    for item in items:
        try:
            chosen |= dict.fromkeys(_chosen(ctx, env, item, weights), env.module.span(item))
        except Refused:
            sound = False
    moves: list[Move] = []
    written: dict[str, Span] = {}
    for store in stores:
        if isinstance(store.value, ast.Bad):
            sound = False
            continue
        try:
            move = _move(ctx, env, store, weights)
        except Refused:
            sound = False
            continue
        moves.append(move)
        for key, _ in move.pairs:
            written.setdefault(key, _name_of(env, store))
    for key in sorted(written.keys() & chosen.keys()):
        ctx.report(wrong.WeightsOverwritten(chosen[key], key, written[key]))
        sound = False
        break
    if not sound:
        raise Refused
    left = {weight.key for weight in weights if weight.key not in chosen} if train is not None else set()
    return Trained(frozenset(left | written.keys()), train is not None, tuple(moves))


def _name_of(env: Env, store: ast.Store) -> Span:
    """Where the name of what is written stands."""
    return Span(env.module.source, store.start, store.start + len(store.name))


def _chosen(ctx: Context, env: Env, item: ast.Expr, weights: tuple[Weight, ...]) -> list[str]:
    """The keys that an item of `train` is for. Raises Refused."""
    span = env.module.span(item)
    if isinstance(item, ast.Name):
        return [weight.key for weight in _declared(ctx, env, item.id, span, weights)]
    choice = setting(ctx, item, env, "choice of weights", CHOICES)
    what = choice.text("name" if choice.name == "group" else "pattern")
    if choice.name == "group":
        found = [weight.key for weight in weights if weight.parameter.group == what]
        known = tuple(sorted({weight.parameter.group for weight in weights} - {""}))
    else:
        fits = pattern(what)
        found = [weight.key for weight in weights if fits(weight.key)]
        known = tuple(weight.key for weight in weights)
    if not found:
        raise ctx.refuse(_unknown(span, what, known))
    return found


def _unknown(span: Span, name: str, known: tuple[str, ...]) -> wrong.NoSuchSetting:
    """A mistake: there are no such weights."""
    shown = known if len(known) <= _LISTED else (*known[:_LISTED], "…")
    return wrong.NoSuchSetting(span, "weight of this learner", name, shown, near(name, known))


def _declared(ctx: Context, env: Env, name: str, span: Span, weights: tuple[Weight, ...]) -> list[Weight]:
    """The leaves of a declared parameter. Raises Refused."""
    target = aliased(env.find(name))
    found: list[Weight] = []
    if isinstance(target, ParamDef):
        env.module.used.add(target.name)
        found = [w for w in weights if w.declared and _below(w.parameter.path, target.name) is not None]
    if not found:
        known = tuple(dict.fromkeys(w.parameter.path.partition(".")[0] for w in weights if w.declared))
        raise ctx.refuse(_unknown(span, name, known))
    return found


def _below(path: str, name: str) -> str | None:
    """The rest of a path below a name; None where it is not below it."""
    return path.removeprefix(name) if path == name or path.startswith(f"{name}.") else None


def _move(ctx: Context, env: Env, store: ast.Store, weights: tuple[Weight, ...]) -> Move:
    """`old <- every(500, w)`. Raises Refused."""
    how = setting(ctx, store.value, env, "way to write weights", MOVES)
    source = how.text("of")
    written = _declared(ctx, env, store.name, _name_of(env, store), weights)
    assert isinstance(store.value, ast.Call)
    at = env.module.span(next(arg.value for arg in store.value.args if isinstance(arg.value, ast.Name)))
    read = _declared(ctx, env, source, at, weights)
    ours = {w.parameter.path.partition(".")[2]: w for w in written}
    theirs = {w.parameter.path.partition(".")[2]: w for w in read}
    lacking = [(name, store.name, source) for name in ours if name not in theirs]
    lacking += [(name, source, store.name) for name in theirs if name not in ours]
    if lacking:
        name, one, other = lacking[0]
        reason = f"`{one}` has `{name}`, and `{other}` has not" if name else "one of them is a record"
        raise ctx.refuse(wrong.WeightsUnlike(at, store.name, source, reason, _name_of(env, store)))
    for name, weight in ours.items():
        left, right = weight.parameter, theirs[name].parameter
        if left.type != right.type:
            reason = f"`{left.path}` is `{show_leaf(left.type)}`, and `{right.path}` is `{show_leaf(right.type)}`"
            raise ctx.refuse(wrong.WeightsUnlike(at, store.name, source, reason, _name_of(env, store)))
    return Move(store.name, source, how, tuple((w.key, theirs[name].key) for name, w in ours.items()))
