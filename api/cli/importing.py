"""`perisai import`: send a file of records to a service, and show what it says of it.

It is a client like any other: whoever runs it signs in as a supervisor or lead of the
agency, and the service decides. It opens no key and no database, and keeps no copy of the
file; the report that it writes holds numbers of rows, codes and ids, and no value.
"""

import json
import os
import ssl
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, TextIO
from urllib.parse import urlsplit

import httpx
import typer
from rich.markup import escape
from rich.table import Table

from api.casework.import_mapping import faults
from api.cli.terminal import bar, err, one_line, out, run
from api.errors import RefusesToStart
from api.schema.imports import CONTENT_TYPE, IMPORTS, MODE_HEADER, PREVIEW, RUN
from api.vocabulary import Purpose

#: Where the token is looked for if no file is named.
VARIABLE = "PERISAI_TOKEN"

#: Rows that are shown; the report has them all.
SHOWN = 20

#: Seconds without a byte: the service writes a batch meanwhile.
_PATIENCE = 120.0

#: Bytes that are sent at once, so that the bar moves.
_PIECE = 256 * 1024

Told = dict[str, Any]


def import_records(
    file: Annotated[Path, typer.Argument(help="The records: CSV or XLSX, a case file a row.")],
    mapping: Annotated[
        Path, typer.Option(help="What its columns mean: .toml or .json; see docs/importing.md.")
    ],
    url: Annotated[str, typer.Option(help="The service, as https://perisai.example.go.id")],
    token_file: Annotated[
        Path | None,
        typer.Option(help=f"A file with your access token; else the variable {VARIABLE}."),
    ] = None,
    write: Annotated[
        bool, typer.Option("--run", help="Import; else it is checked and nothing is written.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Where the report goes; else FILE.report.ndjson.")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="Certificates to trust, in PEM; else the usual ones.")
    ] = None,
) -> None:
    """Check a file of records, or import it; sent again it goes on where it stopped.

    Exit status 1 if anything is wrong with it, or it was cut off.
    """
    with one_line():
        body = _mapping(mapping) + b"\n" + _read(file)
        headers = {"authorization": f"Bearer {_token(token_file)}"}
        address = _address(url)
        context = None if ca_file is None else ssl.create_default_context(cafile=str(ca_file))
        path = report or file.with_name(f"{file.name}.report.ndjson")
    with _private(path) as to:
        last = run(_carry(address, headers, body, context, write=write, to=to))
    out.print(f"The report is in {path}.", markup=False)
    if last.get("state") not in ("checked", "done"):
        raise typer.Exit(1)


async def _carry(
    address: str,
    headers: dict[str, str],
    body: bytes,
    context: ssl.SSLContext | None,
    *,
    write: bool,
    to: TextIO,
) -> Told:
    async with httpx.AsyncClient(
        base_url=address,
        headers=headers,
        verify=True if context is None else context,
        timeout=_PATIENCE,
        trust_env=False,
    ) as client:
        with bar("Importing" if write else "Checking", None) as progress:
            task = progress.task_ids[0]

            def moved(done: int, of: int) -> None:
                progress.update(task, completed=done, total=of)

            lines = await carry(client, body, write=write, to=to, moved=moved)
    show(lines)
    return lines[-1]


async def carry(
    client: httpx.AsyncClient,
    body: bytes,
    *,
    write: bool,
    to: TextIO,
    moved: Callable[[int, int], None],
) -> list[Told]:
    """Send *body*, write the report line by line, and give its lines but those of progress.

    Args:
        moved: told how many rows are done, of how many.

    Raises:
        RefusesToStart: the service cannot be reached.
    """
    told: list[Told] = []
    headers = {
        "content-type": CONTENT_TYPE,
        MODE_HEADER: RUN if write else PREVIEW,
        "perisai-purpose": Purpose.INTAKE.value,
        "content-length": str(len(body)),
    }
    try:
        async with client.stream("POST", IMPORTS, content=_pieces(body), headers=headers) as answer:
            if answer.status_code != 200:
                told.append(_refusal(await answer.aread()))
            else:
                async for text in answer.aiter_lines():
                    line: Told = json.loads(text)
                    if line["kind"] == "progress":
                        moved(line["done"], line["of"])
                    else:
                        told.append(line)
                        to.write(text + "\n")
    except (httpx.TransportError, ValueError):
        if not told:
            raise RefusesToStart("The service cannot be reached at this address.") from None
    if not told or told[-1]["kind"] not in ("end", "error"):
        told.append(
            {
                "kind": "error",
                "code": "CUT_OFF",
                "message": "The answer was cut off. Send the file again: it goes on.",
            }
        )
    return told


def show(lines: list[Told]) -> None:
    """Print what was found, in short."""
    faulty = [line for line in lines if line["kind"] == "faulty"]
    for line in lines:
        for name in line.get("missing", ()):
            err.print(f"There is no column {name!r} in the file.", markup=False)
    if faulty:
        table = Table("row", "column", "what is wrong", box=None)
        for line in faulty[:SHOWN]:
            for fault in line["faults"]:
                table.add_row(str(line["row"]), escape(fault["column"] or ""), fault["code"])
        out.print(table)
        if len(faulty) > SHOWN:
            out.print(f"... and {len(faulty) - SHOWN} more rows.")
    twice = [line for line in lines if line["kind"] == "duplicate"]
    for line in twice[:SHOWN]:
        found = f"row {line['ofRow']}" if line["ofRow"] else f"defender {line['defenderId']}"
        out.print(f"Row {line['row']} may be {found}: the same {line['field']}.")
    if len(twice) > SHOWN:
        out.print(f"... and {len(twice) - SHOWN} more.")
    last = lines[-1]
    if last["kind"] == "error":
        err.print(f"[bold red]{escape(last['code'])}[/]: {escape(last['message'])}")
    kinds = Counter(line["kind"] for line in lines)
    if last["kind"] == "end":
        out.print(
            f"{last['rows']} rows: {last['faulty']} faulty, {last['leftOut']} left out, "
            f"{kinds['written']} case files written now, {last['written']} in all. "
            + _STATES[last["state"]]
        )


_STATES = {
    "checked": "Nothing is wrong; --run imports it.",
    "refused": "Nothing was written.",
    "done": "All of it is there.",
}


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


def _refusal(content: bytes) -> Told:
    """Take the one error of an answer that is refused as a whole."""
    try:
        [error] = json.loads(content)["errors"]
        code, message = error["extensions"]["code"], error["message"]
    except (ValueError, KeyError, TypeError):
        code, message = "UNKNOWN", "The address answers, but not as the service does."
    return {"kind": "error", "code": code, "message": message}


def _mapping(path: Path) -> bytes:
    """Read the mapping and say where it is wrong, which the service would not."""
    content = _read(path)
    try:
        text = content.decode("utf-8")
        raw = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError:
        raise RefusesToStart(f"{path} is no {path.suffix or 'JSON'} file.") from None
    wrong = list(faults(raw))
    if wrong:
        raise RefusesToStart(f"{path}: " + "; ".join(wrong))
    return json.dumps(raw).encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise RefusesToStart(f"{path} cannot be read.") from None


def _token(path: Path | None) -> str:
    token = os.environ.get(VARIABLE, "") if path is None else _read(path).decode("ascii", "replace")
    if not token.strip().isascii() or not token.strip():
        raise RefusesToStart(f"Name a file with your access token, or set {VARIABLE}.")
    return token.strip()


def _address(url: str) -> str:
    """Refuse to send names in clear, but to this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or "")):
        return url.rstrip("/")
    raise RefusesToStart("The address must begin with https://.")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _private(path: Path) -> Iterator[TextIO]:
    """Write a file that nobody else reads: it names defenders by their ids."""
    with one_line():
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError:
            raise RefusesToStart(f"{path} cannot be written.") from None
    with open(descriptor, "w", encoding="utf-8") as file:
        yield file
