"""`catdl explain [CODE]`: what a mistake is about, with a spec that makes it and one that does not."""

from __future__ import annotations

import sys

import click

from catdl.cli.report import color_option, colours, columns


@click.command("explain", short_help="Explain the code of a mistake.")
@click.argument("code", required=False)
@color_option
def command(code: str | None, color: str) -> None:
    """Explain the mistake CODE, as in `error[E0401]`; without CODE, list them all."""
    from catdl.diagnostics import pages
    from catdl.diagnostics.registry import mistakes

    known = mistakes()
    painted, width = colours(sys.stdout, color), columns(sys.stdout)
    if code is None:
        rows = list(_index(width))
    else:
        found = code.upper().removeprefix("ERROR[").removeprefix("WARNING[").removesuffix("]")
        if found not in known:
            raise click.BadParameter(_unknown(code, {name: kind.title for name, kind in known.items()}))
        rows = list(pages.lines(pages.page(found), width))
    for text, style in rows:
        click.echo(click.style(text, bold=True) if painted and style == "title" else text, color=True)


def _index(width: int) -> list[tuple[str, str]]:
    """Every code and its title, by group."""
    from catdl.diagnostics.cells import wrap
    from catdl.diagnostics.registry import groups

    rows: list[tuple[str, str]] = []
    for subject, kinds in groups():
        rows += [("", "")] if rows else []
        rows.append((subject, "title"))
        for kind in kinds:
            first, *more = wrap(kind.title, max(width - 9, 24))
            rows += [(f"  {kind.code}  {first}", ""), *((" " * 9 + line, "") for line in more)]
    return rows


def _unknown(code: str, titles: dict[str, str]) -> str:
    """Near codes, or those whose titles speak of the word that was given."""
    from catdl.diagnostics.suggest import near
    from catdl.diagnostics.words import listed

    word = code.lower()
    found = near(code.upper(), titles) or tuple(name for name, title in titles.items() if word and word in title)
    hint = f"did you mean {listed(found, 'or')}? " if found else ""
    return f"there is no mistake `{code}`; {hint}`catdl explain` lists them all"
