"""The check of one file with all it imports: parse, then read the modules, imported ones first.

program = check(Source("m.cat", text), find, Prelude.load())
program.diagnostics
"""

from __future__ import annotations

from catdl.check.declare import declare_prelude
from catdl.check.kinds import Kinds
from catdl.check.modules import Find, NotFound, load_modules
from catdl.check.program import Load, Program, nothing
from catdl.check.read import read_module
from catdl.check.scope import Module, PreludeScope
from catdl.check.whole import refuse_clashes, refuse_untold
from catdl.check.work import Work, deep, roomy
from catdl.prelude import Prelude
from catdl.source import Source


def check(source: Source, find: Find, prelude: Prelude, load: Load = nothing) -> Program:
    """Check one file with all it imports; `load` reads the files of numbers that it names."""
    return run(PreludeScope(prelude, declare_prelude), source, find, Work(), load)


def recheck(program: Program, source: Source, name: str, work: Work) -> Program:
    """Check another text of one module of a program, with the modules and the entries of the prelude already read."""

    def find(module: str, asker: Source) -> Source | NotFound:
        known = program.modules.get(module)
        return NotFound() if known is None or module == name else known.source

    return run(program.prelude, source, find, work, program.load)


def run(prelude: PreludeScope, source: Source, find: Find, work: Work, load: Load) -> Program:
    """Check one file against a prelude, with so much work."""
    program = Program(prelude, Module("", source, None), Kinds(prelude), work=work, load=load)
    with deep():
        read(program, source, find)
    refuse_untold(program)
    refuse_clashes(program)
    if program.work.found is not None:
        program.diagnostics.append(program.work.found)
    return program


@roomy
def read(program: Program, source: Source, find: Find) -> None:
    """Load a file with all it imports and read each."""
    for module, tree in load_modules(program, source, find):
        read_module(program, module, tree)
