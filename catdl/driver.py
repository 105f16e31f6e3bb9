"""The whole pipeline on one screen: text to program, program to source, source to module.

spec = load("examples/digits.cat")
spec.diagnostics                    # the mistakes, in source order
spec["mlp"].source()                # the PyTorch text
spec["mlp"].compile()               # the nn.Module that this text defines
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from catdl import diagnostics as wrong
from catdl.check.modules import Find, NotFound
from catdl.check.program import Program
from catdl.check.run import check as check_program
from catdl.check.scope import LawDef, LearnerDef, MorphismDef
from catdl.check.whole import untold_dims, why_not_alone
from catdl.check.work import MISTAKE_LIMIT, TEXT_LIMIT
from catdl.collection import no_collection
from catdl.diagnostics.base import Diagnostic, has_errors, in_order
from catdl.diagram.model import Diagram
from catdl.prelude import Prelude
from catdl.record import record
from catdl.source import Decoded, Source, decode, from_text

if TYPE_CHECKING:
    from torch import nn

    from catdl.data.ragged import Batch
    from catdl.data.tree import Tree
    from catdl.diagram.learner import Alternation, Learner
    from catdl.laws.verdict import Verdict
    from catdl.learn.fit import Run, Told
    from catdl.learn.rounds import Rounds


T = TypeVar("T")


class CheckError(ValueError):
    """Raised when something is asked of a spec that has mistakes; `diagnostics` holds them."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        from catdl.diagnostics.text import render

        self.diagnostics = list(diagnostics)
        super().__init__("\n" + render(self.diagnostics))


@contextmanager
def refusals() -> Iterator[None]:
    """What cannot be compiled is told as a mistake of the spec."""
    from catdl.torch.refuse import Refused

    try:
        yield
    except Refused as refused:
        raise CheckError([refused.diagnostic]) from None


@record
class Compiled:
    """A morphism of a spec: its signature, its diagram, and the way to PyTorch."""

    name: str
    spec: Spec

    def __repr__(self) -> str:
        """`<mlp : Real[H: 8, W: 8] -> Logits[Class: 10]>`, or the name alone where no signature can be told."""
        try:
            return f"<{self.signature}>"
        except CheckError:
            return f"<{self.name}>"

    @property
    def signature(self) -> str:
        """The type as it is written: `mlp : Real[H: 8, W: 8] -> Logits[Class: 10]`."""
        from catdl.analysis.show import signature

        return signature(self.diagram())

    def diagram(self) -> Diagram:
        """The checked diagram. Raises CheckError if the spec has mistakes, or for one that asks for arguments."""
        self.spec.sound()
        found = self.spec.program.diagram(self.name)
        if found is None:
            raise CheckError(self.refusals())
        return found

    def source(self, *, allow: Iterable[str] = ()) -> str:
        """The PyTorch source. `allow` names packages whose modules an `extern` may run."""
        from catdl.torch.build import source
        from catdl.torch.extern import require

        self.check_whole()
        self.check_extern(allow)
        with refusals(), no_collection():
            require(self.diagram())
            return source(self.rewritten())

    def compile(self, *, allow: Iterable[str] = ()) -> nn.Module:
        """The module that the printed source defines. `allow` names packages whose modules an `extern` may run."""
        from catdl.torch.build import build
        from catdl.torch.extern import constructed, require

        self.check_whole()
        self.check_extern(allow)
        diagram = self.rewritten()
        with refusals():
            require(diagram)
            with constructed(diagram):
                return build(diagram)

    def rewritten(self) -> Diagram:
        """The diagram that is compiled: the checked one after the rewrites, which change no key."""
        from catdl.rewrite.run import rewritten

        return rewritten([self.diagram()])[0][0]

    def rewrites(self) -> str:
        """Which rewrites were done, where, and by which laws."""
        from catdl.rewrite.applied import shown
        from catdl.rewrite.run import rewritten

        return shown(rewritten([self.diagram()])[1])

    def trees(self, values: Iterable[Any], words: Mapping[str, int] | None = None) -> Tree:
        """A batch for the input that takes trees, from nested tuples: `(0, left, right)` for `Fin(3) @ X @ X`.

        `words` says which number a word stands for. Raises ValueError for what is no such tree, and where no input
        takes trees.
        """
        from catdl.data.nested import trees

        diagram = self.diagram()
        forms = {form for wire in diagram.inputs if (form := diagram.wires[wire].type.kind.form) is not None}
        if len(forms) != 1:
            raise ValueError(f"{self.name} takes {'no trees' if not forms else 'trees of several functors'}")
        return trees(forms.pop(), values, words)

    def pack(self, samples: Iterable[Any]) -> Batch:
        """A batch of samples of different size: `net(*batch.inputs, **batch.offsets)`.

        A sample holds what each input is given, in order or by name; an index of an element counts from 0 in its
        sample. Raises ValueError for what does not fit, and says which sample it is.
        """
        from catdl.data.ragged import Port, pack
        from catdl.diagram.told import by_trees

        diagram = self.diagram()
        names = (*diagram.domain_names, *(None,) * len(diagram.inputs))
        types = [diagram.wires[wire].type for wire in diagram.inputs]
        grown = {dim: at[0] for dim, at in by_trees(diagram).items()}
        return pack([Port(leaf, name) for leaf, name in zip(types, names, strict=False)], samples, grown)

    def groups(self) -> dict[str, tuple[str, ...]]:
        """The keys of the parameters that the spec puts into groups, `f{**.bias: group("no_decay")}`, by group.

        Those in none are under "". Raises CheckError.
        """
        from catdl.diagram.params import globals_of, parameters

        found: dict[str, list[str]] = {}
        for leaf in (*globals_of(self.diagram()), *parameters(self.diagram())):
            found.setdefault(leaf.group, []).append(leaf.path)
        return {name: tuple(keys) for name, keys in found.items()}

    def show(self) -> str:
        """Signature, parameters, cost, symmetries, causality, effects, ties, and what no type can catch."""
        from catdl.analysis.show import show

        return show(self.diagram(), self.spec.program.role, self.spec.program.time)

    def refusals(self) -> list[Diagnostic]:
        """Why a morphism of a sound spec cannot be compiled as it stands; empty where it can."""
        definition = self.spec.program.main.defs[self.name]
        assert isinstance(definition, MorphismDef)
        return why_not_alone(self.spec.program, definition)

    def check_whole(self) -> None:
        """Refuse what cannot stand alone, as a part that leaves free dims to others. Raises CheckError."""
        self.spec.sound()
        if found := self.refusals():
            raise CheckError(found)

    def check_extern(self, allow: Iterable[str]) -> None:
        """Refuse modules of packages that are not allowed. Raises CheckError."""
        from catdl.analysis.extern import externs, forbidden

        if found := forbidden(externs(self.diagram()), allow):
            raise CheckError(found)


@record
class Trainable:
    """A learner of a sound spec, and the way to a trained network."""

    name: str
    spec: Spec

    @property
    def plan(self) -> Learner:
        """What was checked. Raises ValueError for a learner whose learners take turns."""
        from catdl.diagram.learner import Learner

        if not isinstance(found := self.whole, Learner):
            raise ValueError(f"the learners of {self.name} take turns: ask one of them")
        return found

    @property
    def whole(self) -> Learner | Alternation:
        """What was checked, be it one learner or several that take turns."""
        found = self.spec.program.main.defs[self.name]
        assert isinstance(found, LearnerDef) and found.plan is not None
        return found.plan

    def with_setting(self, field: str, argument: str | None, value: str, owner: str | None = None) -> Trainable:
        """The learner with another value for a field or an argument of it, as if that were written in its text.

        `owner` is a learner that takes turns in this one, if it is of that. Raises CheckError where it does not fit.
        """
        from catdl.check.overriding import overridden
        from catdl.check.run import recheck
        from catdl.check.work import Work
        from catdl.syntax.parser import parse

        source = (old := self.spec.program).main.source
        text = overridden(parse(source)[0], source.text, field, argument, value, owner or self.name)
        program = recheck(old, from_text(source.path, text).source, old.main.name, Work())
        return Spec(program, advised(program, first(program.diagnostics)), self.spec.paths).learner(self.name)

    def run(self, out: str | Path | None = None, *, allow: Iterable[str] = ()) -> Run:
        """The `training` of a learner by itself. Raises CheckError, and ValueError where learners take turns."""
        from catdl.learn.fit import Run

        found = self.training(out, allow=allow)
        assert isinstance(found, Run), self.plan
        return found

    def training(
        self, out: str | Path | None = None, *, allow: Iterable[str] = (), shard: bool = False
    ) -> Run | Rounds:
        """A run that has read its data and made its network; `out` is where checkpoint and weights are put.

        `allow` names packages whose code may run, `shard` spreads the weights over processes. Raises CheckError.
        """
        from catdl.learn.rounds import begin

        self.check_allowed(allow)
        text = "\n".join(module.source.text for module in self.spec.program.modules.values())
        folder, place = Path(self.spec.paths[0]).parent, None if out is None else Path(out)
        return refusing(lambda: begin(self.whole, folder, text, place, shard))

    def check_allowed(self, allow: Iterable[str]) -> None:
        """Refuse code of packages that are not allowed. Raises CheckError."""
        from catdl.analysis.extern import forbidden, of_learner

        learners: tuple[Learner, ...] = getattr(self.whole, "learners", (self.whole,))  # type: ignore[arg-type]
        if found := forbidden(dict.fromkeys(each for one in learners for each in of_learner(one)), allow):
            raise CheckError(found)

    def fit(
        self,
        out: str | Path | None = None,
        *,
        resume: bool = False,
        told: Told | None = None,
        allow: Iterable[str] = (),
    ) -> nn.Module:
        """Train, and give the network. `told` is called with a row of measures after every epoch.

        `out` is a directory, made if there is none, for checkpoint and weights. Raises CheckError for data that are
        not what the spec says, for a checkpoint that does not fit, and for a loss that is no longer a number.
        """
        run = self.training(out, allow=allow)
        if resume:
            refusing(run.resume)
        refusing(lambda: run.train(told or (lambda row: None)))
        return run.trained

    def lightning(self, *, allow: Iterable[str] = ()) -> Any:
        """A LightningModule with its data, for Lightning's Trainer. Raises ImportError where there is no Lightning."""
        from catdl.learn.lightning import module_of

        return refusing(lambda: module_of(self.run(allow=allow)))


def refusing(what: Callable[[], T]) -> T:
    """What training cannot go on from, told as a mistake of the spec. Raises CheckError."""
    from catdl.torch.refuse import Refused

    try:
        return what()
    except Refused as refused:
        raise CheckError([refused.diagnostic]) from None


@record
class Spec:
    """A checked file."""

    program: Program
    diagnostics: list[Diagnostic]
    paths: tuple[str, ...]

    def __repr__(self) -> str:
        """`<catdl.Spec examples/digits.cat: mlp>`; what is wrong is in `diagnostics`."""
        shown = "with mistakes" if has_errors(self.diagnostics) else ", ".join(self.names)
        return f"<catdl.Spec {self.paths[0]}: {shown}>" if shown else f"<catdl.Spec {self.paths[0]}>"

    @property
    def names(self) -> tuple[str, ...]:
        """The morphisms that can be compiled as they stand, in text order."""
        main = self.program.main
        return tuple(
            name
            for name, found in main.defs.items()
            if isinstance(found, MorphismDef)
            and found.module is main
            and self.program.closed(found) is not None
            and not any(untold_dims(self.program, found))
        )

    def __getitem__(self, name: str) -> Compiled:
        """A morphism by name. Raises KeyError when the file declares none of that name."""
        found = self.program.main.defs.get(name)
        if not isinstance(found, MorphismDef) and not (has_errors(self.diagnostics) and found is not None):
            raise KeyError(name)
        return Compiled(name, self)

    def __iter__(self) -> Iterator[str]:
        """The `names`."""
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        """Whether `self[name]` is a morphism of the file."""
        return isinstance(name, str) and isinstance(self.program.main.defs.get(name), MorphismDef)

    def sound(self) -> None:
        """Raise CheckError where the spec has mistakes."""
        if has_errors(self.diagnostics):
            raise CheckError(self.diagnostics)

    def laws(self, trials: int = 100) -> dict[str, Verdict]:
        """What is known of each law of the file: proved, held in so many trials, or refuted. Raises CheckError."""
        from catdl.laws.verdict import judged

        self.sound()
        return judged(((law.name, *law.sides) for law in self.stated() if law.sides is not None), trials)

    @property
    def learners(self) -> tuple[str, ...]:
        """The learners of the file, in text order."""
        main = self.program.main
        return tuple(name for name, d in main.defs.items() if isinstance(d, LearnerDef) and d.module is main)

    def learner(self, name: str) -> Trainable:
        """A learner by name. Raises KeyError when the file declares none of that name, CheckError for mistakes."""
        found = self.program.main.defs.get(name)
        if not isinstance(found, LearnerDef):
            raise KeyError(name)
        self.sound()
        return Trainable(name, self)

    def stated(self) -> list[LawDef]:
        """The laws of the file, in text order."""
        main = self.program.main
        return [law for law in main.defs.values() if isinstance(law, LawDef) and law.module is main]

    def source(self, *, allow: Iterable[str] = ()) -> str:
        """The PyTorch source of every morphism that nothing else in the file uses. Raises CheckError."""
        from catdl.rewrite.run import rewritten
        from catdl.torch.extern import require
        from catdl.torch.several import roots, sources

        self.sound()
        handles = [self[name] for name in self.names]
        for handle in handles:
            handle.check_extern(allow)
        with refusals(), no_collection():
            for handle in handles:
                require(handle.diagram())
            return sources(rewritten(roots([handle.diagram() for handle in handles]))[0])

    def rewrites(self) -> str:
        """Which rewrites were done in what `source` gives, where, and by which laws."""
        from catdl.rewrite.applied import shown
        from catdl.rewrite.run import rewritten
        from catdl.torch.several import roots

        self.sound()
        return shown(rewritten(roots([self[name].diagram() for name in self.names]))[1])


def first(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Mistakes in order, as many as are told; that there are more is one of them."""
    ordered = in_order(found)
    kept = ordered[:MISTAKE_LIMIT]
    return kept + [each for each in ordered[MISTAKE_LIMIT:] if each.code == wrong.LimitExceeded.code][:1]


@cache
def prelude() -> Prelude:
    """The shipped prelude; its text does not change while the program runs."""
    return Prelude.load()


def load(path: str | Path, search: Iterable[str | Path] = ()) -> Spec:
    """Check a file. Imports are looked for beside it, then in `search`. What is wrong is in `diagnostics`."""
    place = Path(path)
    try:
        data = contents(place)
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        return checked(from_text(str(path), ""), (), [wrong.FileUnreadable(str(path), reason)])
    return checked(decode(str(path), data), (place.parent, *map(Path, search)), [])


def contents(place: Path) -> bytes:
    """The bytes of a file. Raises OSError also for what may never end, a pipe or a device, and for what is too long."""
    status = place.stat()
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device; `-` reads from one")
    if status.st_size > TEXT_LIMIT:
        raise OSError(errno.EFBIG, f"it is over the limit of {TEXT_LIMIT:_} bytes".replace("_", " "))
    return place.read_bytes()


def loads(text: str, path: str = "<string>", search: Iterable[str | Path] = ()) -> Spec:
    """Check a text. Imports are looked for in the working directory, then in `search`."""
    if not isinstance(text, str):
        raise TypeError(f"loads takes the text of a spec, found {type(text).__name__}; load takes a path")
    return checked(from_text(path, text), (Path(), *map(Path, search)), [])


def check(source: Source, find: Find = lambda name, source: NotFound()) -> list[Diagnostic]:
    """The mistakes of a source, in order."""
    program = check_program(source, find, prelude())
    return advised(program, first(program.diagnostics))


def advised(program: Program, diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """The mistakes with helps that were tried; without mistakes, what is hardly meant though it composes."""
    if not diagnostics:
        from catdl.lint.run import lint

        return first(lint(program))
    if program.work.found is not None:  # what went past a limit is not tried again and again
        return diagnostics
    from catdl.repair.run import helped

    return helped(program, diagnostics)


def checked(read: Decoded, folders: tuple[Path, ...], found: list[Diagnostic]) -> Spec:
    """Check decoded text with its imports."""
    paths: list[str] = [read.source.path]
    texts = [read]
    beside_names: dict[Path, list[str]] = {}

    def stems(folder: Path) -> list[str]:
        if folder not in beside_names:
            beside_names[folder] = sorted(path.stem for path in folder.glob("*.cat"))
        return beside_names[folder]

    def find(name: str, source: Source) -> Source | NotFound:
        beside = () if source.path in ("-", "<string>") else (Path(source.path).parent,)
        around = tuple(dict.fromkeys((*beside, *folders)))
        tried = []
        for folder in around:
            place = folder / (name.replace(".", "/") + ".cat")
            try:
                decoded = decode(str(place), contents(place))
            except (OSError, ValueError):
                tried.append(str(place))
                continue
            paths.append(str(place))
            texts.append(decoded)
            return decoded.source
        return NotFound(tuple(tried), tuple(sorted({name for folder in around for name in stems(folder)})))

    def load_numbers(name: str, source: Source) -> bytes:
        folder = Path() if source.path in ("-", "<string>") else Path(source.path).parent
        if Path(name).is_absolute():
            raise OSError(errno.EINVAL, "it is told by a path from the spec's folder")
        return contents(folder / name)

    with no_collection():
        program = check_program(read.source, find, prelude(), load_numbers)
        diagnostics = advised(program, first([*found, *wrong.readable(texts, program.diagnostics)]))
    return Spec(program, diagnostics, tuple(paths))
