"""Everything that can be wrong with a spec, one dataclass per kind of mistake, and how it is shown.

The classes are reached through this package and loaded when first used, for building some seventy dataclasses would
cost a clean check more than its parse:

    from catdl import diagnostics as wrong

    found.append(wrong.UnknownName(span, "linera", "morphism", ("linear",)))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from catdl.diagnostics.base import Diagnostic, Edit, Help, Label, Mistake, Parts, has_errors, in_order, sort_key

if TYPE_CHECKING:
    from catdl.diagnostics.causal_errors import *  # noqa: F403
    from catdl.diagnostics.effect_errors import *  # noqa: F403
    from catdl.diagnostics.kind_errors import *  # noqa: F403
    from catdl.diagnostics.law_errors import *  # noqa: F403
    from catdl.diagnostics.layers_warnings import *  # noqa: F403
    from catdl.diagnostics.learner_errors import *  # noqa: F403
    from catdl.diagnostics.limit_errors import *  # noqa: F403
    from catdl.diagnostics.model_warnings import *  # noqa: F403
    from catdl.diagnostics.names_errors import *  # noqa: F403
    from catdl.diagnostics.names_warnings import *  # noqa: F403
    from catdl.diagnostics.param_errors import *  # noqa: F403
    from catdl.diagnostics.shape_errors import *  # noqa: F403
    from catdl.diagnostics.static_errors import *  # noqa: F403
    from catdl.diagnostics.symmetry_errors import *  # noqa: F403
    from catdl.diagnostics.trained_errors import *  # noqa: F403
    from catdl.diagnostics.wire_errors import *  # noqa: F403

__all__ = ["Diagnostic", "Edit", "Help", "Label", "Mistake", "Parts", "has_errors", "in_order", "sort_key"]

GROUPS: tuple[tuple[str, str], ...] = (
    ("catdl.diagnostics.syntax_errors", "syntax"),
    ("catdl.diagnostics.names_errors", "names and imports"),
    ("catdl.diagnostics.static_errors", "static arguments and declarations"),
    ("catdl.diagnostics.shape_errors", "shapes, sizes and axes"),
    ("catdl.diagnostics.kind_errors", "kinds"),
    ("catdl.diagnostics.wire_errors", "wires and structure"),
    ("catdl.diagnostics.param_errors", "parameters"),
    ("catdl.diagnostics.effect_errors", "effects"),
    ("catdl.diagnostics.limit_errors", "files, compiling and limits"),
    ("catdl.diagnostics.law_errors", "laws"),
    ("catdl.diagnostics.symmetry_errors", "symmetry"),
    ("catdl.diagnostics.causal_errors", "the order of time"),
    ("catdl.diagnostics.learner_errors", "learners"),
    ("catdl.diagnostics.trained_errors", "what learners train"),
    ("catdl.diagnostics.names_warnings", "names and comments"),
    ("catdl.diagnostics.layers_warnings", "layers that undo or repeat each other"),
    ("catdl.diagnostics.model_warnings", "what a model cannot respect or learn"),
)
"""The modules that hold mistakes, each with what it is about; the first two digits of an error's code are the place in
this list, which has the warnings at its end."""

_HOMES = {
    "names_errors": (
        "DeclarationCycle DuplicateName ImportCycle ImportMissing ImportNotFound NameOfTorch TwinDeclared UnboundName "
        "UnknownName WrongSort"
    ),
    "static_errors": (
        "BadArgument BadValue DivisionByZero EndlessTree FalseFact FunctorForm "
        "MissingArgument NegativeSize NoEquationMatches "
        "NotDivisible NotStatic TooManyArguments "
        "UnknownArgument UnusedArgument"
    ),
    "shape_errors": (
        "AxisNotFound BadPattern DimUntold DimsOfOneName EmptyReduction ImplicitBroadcast LabelRepeated MergedMismatch "
        "Mismatch NeedsAxes NotAnAxis RaggedPlace RaggedWhole RankUndetermined ScaleMismatch SizeMismatch "
        "SizeUndecided Undetermined"
    ),
    "kind_errors": "KindAmbiguous KindMismatch KindNever MeanAndSum NoMeaning UnrelatedKinds",
    "wire_errors": (
        "ArityMismatch LegMismatch NeedsTie NoSuchPort NotACoalgebra NotALinearFunctor NotAMorphism NotAWire "
        "NotAnAlgebra NotThatSum StateUntold TreesOnly UnusedWire"
    ),
    "param_errors": (
        "BadStart KeyTaken LabelForTwo NotBatchConstant ParamFreeDim ParamNotFound ParamTypeMismatch ParamUnused "
        "RecordMismatch"
    ),
    "effect_errors": (
        "NotAState RandomUnderDeterministic StateCopied StateFreeDim StateMapped StateTwice StateUnread StateUnwritten"
    ),
    "limit_errors": (
        "DepthLimit ExternNotAllowed FileUnreadable InputMismatch InstanceLimit KeyMapMismatch KeyMapUnreadable "
        "LimitExceeded NoSuchMorphism NotCompilable NotText OutputIsInput OutputUnwritable UnfoldDepth "
        "WeightsOpen not_text readable"
    ),
    "law_errors": "LawDomainUntold LawNoEquation LawOwnsWeights LawRefuted LawSidesDiffer",
    "learner_errors": (
        "BadSetting BatchMisplaced CheckpointUnfit ColumnLeftOver ColumnMissing DataUnfit FieldMissing ForeignFailed "
        "LossIgnores "
        "LossNotScalar LossTeachesNothing NoSuchLearner NoSuchSetting SettingMissing TargetUntold TrainingBroke "
        "WeightsUntaught"
    ),
    "trained_errors": "WeightsOrphaned WeightsOverwritten WeightsTrainedTwice WeightsUnlike",
    "symmetry_errors": (
        "BadGenerator CoupledInManyWays HomOpen NoEquivariantMap NotAlongRole NotUndone NothingActs PlacesApart "
        "RelationBroken RoleArguments RoleSize RolesClash SymmetryLost"
    ),
    "causal_errors": "NotStepped OrdersApart ReadsAhead StepReadsAhead TargetSeen",
    "names_warnings": "AllowUnknown AllowUnused UnusedDeclaration UnusedImport UnusedMorphism",
    "layers_warnings": "AffineTwice BiasRemoved DropoutBeforeNorm DropsEverything NormOfOne WithItself",
    "model_warnings": "DeadWeights NothingLearns SetOrdered StructureBroken",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load the module that holds a mistake when the mistake is first made."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
