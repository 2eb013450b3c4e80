"""Trusted documents: admit them, list them, check that they still fit.

Needs no keys and no database, and with `--folder` no settings. A running service reads them
once: restart it after a change.
"""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.terminal import err, one_line, out, settings_or_demo
from api.errors import RefusesToStart
from api.schema.trusted import PREFIX, Trusted, TrustedDocuments, files, store, text_at

app = typer.Typer(help="Trusted documents: add, list, check.", no_args_is_help=True)


class Face(StrEnum):
    """The faces, as their addresses name them."""

    AGENCY = "agency"
    OVERSIGHT = "oversight"
    PARTNER = "partner"


FolderOption = Annotated[
    Path | None,
    typer.Option(help="The folder of all faces' documents; else `documents` of the settings."),
]


@app.command()
def add(
    face: Annotated[Face, typer.Argument(help="Whose schema the documents are for.")],
    texts: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Each a GraphQL document of one operation, which has a name."
        ),
    ],
    folder: FolderOption = None,
) -> None:
    """Admit documents, all or none; prints the `documentId` and operation of each."""
    with one_line():
        root = _root(folder)
        trusted = TrustedDocuments.of(face)
        read = [(text, _of(trusted, path, text)) for path in texts for text in [_read(path)]]
        for text, one in read:
            new = store(root / face, text)
            out.print(f"{PREFIX}{one.hash}  {one.name}{'' if new else '  (was there)'}")


@app.command("list")
def list_all(folder: FolderOption = None) -> None:
    """Print face, `documentId` and operation of each document; one that does not fit stops it."""
    with one_line():
        for face, trusted, path in _all(_root(folder)):
            one = _of(trusted, path, text_at(path))
            out.print(f"{face}  {PREFIX}{one.hash}  {one.name}")


@app.command()
def check(folder: FolderOption = None) -> None:
    """Hold every document to the schemas of this version: run it before an update.

    Exit status 1, with the file and what is wrong, if any does not fit or was changed.
    """
    fit = wrong = 0
    with one_line():
        for _, trusted, path in _all(_root(folder)):
            try:
                _of(trusted, path, text_at(path))
                fit += 1
            except RefusesToStart as error:
                err.print(str(error), markup=False)
                wrong += 1
    if wrong:
        err.print(f"{wrong} of {fit + wrong} documents would not be executed.")
        raise typer.Exit(1)
    out.print(f"{fit} documents fit.")


def _root(folder: Path | None) -> Path:
    """Give the folder of all faces' documents."""
    root = settings_or_demo().documents if folder is None else folder
    if root is None:
        raise RefusesToStart("The settings name no `documents`: name a folder with --folder.")
    if not root.is_dir():
        raise RefusesToStart(f"There is no folder {root}.")
    return root


def _all(root: Path) -> Iterator[tuple[Face, TrustedDocuments, Path]]:
    """Name every document, face by face, with what checks it."""
    for face in Face:
        trusted = TrustedDocuments.of(face)
        for path in files(root / face):
            yield face, trusted, path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise RefusesToStart(f"{path} cannot be read.") from None


def _of(trusted: TrustedDocuments, path: Path, text: bytes) -> Trusted:
    """Check *text*, and say in which file it is wrong."""
    try:
        return trusted.checked(text)
    except RefusesToStart as error:
        raise RefusesToStart(f"{path}: {error}") from None
