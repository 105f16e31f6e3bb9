"""Other values for the settings of learners, put into the text of a spec: what is trained is what was checked.

overridden(tree, text, "optimizer", "lr", "3e-4", "digits")     # optimizer = adamw(lr = 3e-4)
"""

from __future__ import annotations

from catdl.syntax import ast


def overridden(tree: ast.Module, text: str, field: str, argument: str | None, value: str, name: str | None) -> str:
    """The text with another value for a field of a learner, or of every one, or for an argument of it."""
    named = [node for node in tree.decls if isinstance(node, ast.Learner) and name in (None, node.name)]
    edits = [edit for node in named for edit in edits_of(node, field, argument, value)]
    for start, end, words in sorted(edits, reverse=True):
        text = text[:start] + words + text[end:]
    return text


def edits_of(node: ast.Learner, field: str, argument: str | None, value: str) -> list[tuple[int, int, str]]:
    """What to put where, in one learner; a field or an argument that is left out is put at the end."""
    named = [f for f in node.fields if isinstance(f, ast.Bind) and isinstance(f.pattern, ast.Name)]
    found = next((f for f in named if isinstance(f.pattern, ast.Name) and f.pattern.id == field), None)
    if found is None:
        return [(node.end - 1, node.end - 1, f"\n    {field} = {value if argument is None else argument}\n")]
    at = found.value
    if argument is None:
        return [(at.start, at.end, value)]
    calls = [leg for leg in (at.legs if isinstance(at, ast.Copair | ast.Fan) else (at,)) if isinstance(leg, ast.Call)]
    for call in calls:
        for arg in call.args:
            if arg.sep == "=" and arg.name == argument:
                return [(arg.value.start, arg.value.end, value)]
    if calls:
        comma = ", " if calls[0].args else ""
        return [(calls[0].end - 1, calls[0].end - 1, f"{comma}{argument} = {value}")]
    return [(at.end, at.end, f"({argument} = {value})")]
