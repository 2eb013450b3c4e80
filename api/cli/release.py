"""Releases that came out: whose copy it was."""

from pathlib import Path
from typing import Annotated

import typer

from api.app import open_house
from api.casework import release_tracing
from api.casework.release_tracing import Fetch
from api.cli.terminal import one_line, out, run, settings_or_demo
from api.errors import CopyNotRead, RefusesToStart
from api.paper.copies import COPY_MOST, marks_of

app = typer.Typer(help="Releases that came out.", no_args_is_help=True)


@app.callback()
def release() -> None:
    """Releases that came out."""


@app.command()
def trace(
    copy: Annotated[
        Path | None,
        typer.Argument(help="The copy: a PDF, a .docx, an answer as JSON, a mail, or any text."),
    ] = None,
    mark: Annotated[
        str, typer.Option(help="Instead: the mark, as somebody read it off a picture.")
    ] = "",
) -> None:
    """Say whose copy of a release it was, by the access log and the keys of this process.

    Leaves an event in the access log. Ids only; who a member is its organisation knows.
    """
    if (copy is None) == (not mark):
        raise typer.BadParameter("give a file, or --mark")
    with one_line():
        # Before any key is here: of what is in such a file nothing is known.
        marks = marks_of(mark if copy is None else _content(copy))
        if not marks:
            raise RefusesToStart(
                "There is no mark in it. Of a picture give what stands behind PRS with --mark."
            )
    for fetch in run(_traced(marks)):
        _say(fetch)


def _content(copy: Path) -> bytes:
    try:
        with copy.open("rb") as file:
            content = file.read(COPY_MOST + 1)
    except OSError:
        raise CopyNotRead from None
    return content


async def _traced(marks: list[str]) -> list[Fetch]:
    settings = settings_or_demo()
    async with open_house(settings) as house:
        found = await release_tracing.trace(house, marks)
    if not found:
        raise RefusesToStart(
            "No fetch in the access log has this mark, of the organisations whose keys are here: "
            f"{', '.join(sorted(settings.owners))}."
        )
    return found


def _say(fetch: Fetch) -> None:
    out.print(f"{fetch.mark}", markup=False)
    out.print(f"  release   {fetch.release} of {', '.join(fetch.made_by)}", markup=False)
    out.print(f"  fetched   {fetch.at.isoformat()}", markup=False)
    out.print(f"  by        {fetch.member} of {fetch.partner}", markup=False)
    out.print(f"  event     {fetch.index} of the access log", markup=False)
