"""The demo: synthetic records, built-in issuer, running service, requests to paste."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from granian.constants import Interfaces
from granian.server.embed import Server

from api import app
from api.casework.provisioning import set_up_owners
from api.cli.demo_requests import requests_to_paste
from api.cli.terminal import DEMO_FOLDER, INTERRUPTED, bar, out, run, settings_or_demo
from api.database import Records, engine_of
from api.demo.install import CONFIG, STRONG_ACR, Databases, client_of, install, issuer_of
from api.demo.issuer_pages import CONSOLE_ID, IssuerPages, Person
from api.demo.seed import organisation_rows
from api.demo.seed import seed as seed_records
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN, synthetic
from api.demo.synthetic_records import Synthetic
from api.errors import RefusesToStart
from api.settings import ConsoleClientSettings, Settings
from api.vocabulary import Role

#: Fixed, so that every demo has the same people.
SEED = 17

#: Live assignments and releases of the synthetic records last at least 30 days.
GOOD_FOR = timedelta(days=28)

#: Counts up when the demo's files change their form.
FORM = 2

ROLES = {
    SARI: "case officer of Komnas HAM",
    WAYAN: "protection officer of LPSK",
    RATNA: "lawyer of the partner LBH Nusantara",
    TUTI: "security officer of Komnas HAM",
    BUDI: "supervisor of Komnas HAM",
}


def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 8463,
    graphiql: Annotated[
        Path | None, typer.Option(help="Folder in which npm installed GraphiQL.")
    ] = None,
) -> None:
    """Set up synthetic records in ./.demo if need be, then serve them on loopback."""
    try:
        run(_demo(DEMO_FOLDER, port, graphiql))
    except typer.Exit as end:
        if end.exit_code != INTERRUPTED:  # Ctrl+C is how a demo ends well.
            raise


async def _demo(folder: Path, port: int, graphiql: Path | None) -> None:
    _port_is_free(port)
    records = await _prepared(folder, port)
    settings = Settings.at(folder / CONFIG).model_copy(update={"port": port})
    pages = _issuer_pages(folder, records, settings.reached_at)
    settings = settings.model_copy(
        update={"console_clients": console_clients(records, pages), "graphiql": graphiql}
    )
    tokens = _tokens(folder, records)
    log = (folder / "service.log").open("a", encoding="utf-8")
    service = app.create_app(settings, log_to=log)
    service.router.routes.extend(pages.routes())
    server = Server(
        service,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    try:
        await _answers(f"http://{settings.host}:{port}", serving)
        _print(settings, records, tokens)
        await serving
    finally:
        # The server waits for all that it answers, and a subscription has no end of its own.
        streams = getattr(service.state, "streams", None)  # None: it never was open.
        if streams is not None:
            streams.close()
        server.stop()  # type: ignore[no-untyped-call]  # granian ships no types for it
        with suppress(asyncio.CancelledError):
            await serving
        log.close()


def _issuer_pages(folder: Path, records: Synthetic, address: str) -> IssuerPages:
    """Make the page on which the people of the agencies are picked."""
    people = [
        Person(one.organisation, one.subject, one.role.value.replace("_", " "))
        for one in records.members
        if one.role not in (Role.OPERATOR, Role.PARTNER)
    ]
    issuer = issuer_of(folder, app.utc_now)
    return IssuerPages(issuer, people, address, app.utc_now, strong_acr=STRONG_ACR)


def console_clients(records: Synthetic, pages: IssuerPages) -> tuple[ConsoleClientSettings, ...]:
    """Give the console's client at the issuer of each agency."""
    agencies = sorted(one.slug for one in records.organisations if one.kind == "agency")
    return tuple(
        ConsoleClientSettings(
            organisation=slug, client_id=CONSOLE_ID, metadata=pages.metadata(slug)
        )
        for slug in agencies
    )


def _port_is_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise RefusesToStart(
                f"Port {port} is taken. Stop what listens there, or choose another: "
                f"make demo PORT={port + 1}"
            ) from None


async def _prepared(folder: Path, port: int) -> Synthetic:
    """Give the demo's records; write them into *folder* if they are not there."""
    marker = folder / "demo.json"
    if folder.exists() and not marker.is_file():
        raise RefusesToStart(
            f"The folder {folder} is there but not complete; an earlier set-up was "
            "interrupted. Run `make clean`, then `make demo`."
        )
    today = app.utc_now().date()
    if marker.is_file():
        day = _day_of(marker)
        if (
            day is None
            or not timedelta(0) <= today - day <= GOOD_FOR
            or not (folder / CONFIG).is_file()
        ):
            raise RefusesToStart(
                f"The demo's data in {folder} does not fit today's demo: it is too old, of "
                "another version or not complete. Run `make clean`, then `make demo`."
            )
        return synthetic(SEED, day)
    records = synthetic(SEED, today)
    out.print(
        f"Making a demo in {folder}: keys, issuers, two SQLite databases, "
        f"{len(records.defenders)} synthetic defenders in {len(records.case_files)} case files."
    )
    folder.mkdir(mode=0o700)
    absolute = folder.resolve()
    with bar("sealing case files", len(records.case_files)) as progress:
        await install(
            absolute,
            Databases.embedded(absolute),
            records,
            clock=app.utc_now,
            progress=lambda count: progress.advance(progress.task_ids[0], count),
            port=port,
        )
    marker.write_text(json.dumps({"form": FORM, "day": today.isoformat()}), encoding="utf-8")
    return records


def _day_of(marker: Path) -> date | None:
    """Give the day for which the demo's data was made; None if it is of another form."""
    try:
        made = json.loads(marker.read_text(encoding="utf-8"))
        return date.fromisoformat(made["day"]) if made["form"] == FORM else None
    except (KeyError, TypeError, ValueError):
        return None


def _tokens(folder: Path, records: Synthetic) -> dict[str, str]:
    """Mint a token for each role, and keep each in a file for the requests to paste."""
    issuer, client = issuer_of(folder, app.utc_now), client_of(folder, app.utc_now)
    (folder / "tokens").mkdir(mode=0o700, exist_ok=True)
    tokens = {}
    for subject in ROLES:
        member = records.member(subject)
        key_thumbprint = client.thumbprint if member.role is Role.PARTNER else None
        tokens[subject] = issuer.mint(member.organisation, subject, key_thumbprint=key_thumbprint)
        path = folder / "tokens" / subject
        path.touch(mode=0o600)
        path.write_text(tokens[subject], encoding="ascii")
    return tokens


async def _answers(address: str, serving: "asyncio.Task[None]") -> None:
    """Wait until the service is ready."""
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(200):
            if serving.done():
                await serving
                raise RefusesToStart("The service ended before it was up; see .demo/service.log.")
            with suppress(httpx.TransportError):
                if (await client.get(f"{address}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)
    raise RefusesToStart("The service is not ready after 10 s; see .demo/service.log.")


def _print(settings: Settings, records: Synthetic, tokens: dict[str, str]) -> None:
    address = f"http://{settings.host}:{settings.port}"
    out.print("\n[bold]Perisai is up.[/] Everything in it is invented. Stop it with Ctrl+C.\n")
    for face in settings.faces:
        out.print(f"  {face:10} {address}/graphql/{face}")
    out.print(f"\n[bold]In a browser[/]: {address}/console")
    out.print(
        "  Sign in as one of the invented people; there are no passwords."
        if settings.graphiql is not None
        else "  GraphiQL is not there: `make graphiql` fetches it from npm, then `make demo` again."
    )
    out.print("\n[bold]Tokens[/], good for 8 hours (also in .demo/tokens/):\n")
    for subject, role in ROLES.items():
        out.print(f"  {subject}, {role}:\n  {tokens[subject]}\n")
    out.print("Ratna's is bound to a key, so it takes a proof with each request (see below).\n")
    out.print("[bold]Four requests to paste[/], from this folder in another terminal:\n")
    for title, command in requests_to_paste(address, records):
        out.print(f"[bold]# {title}[/]")
        out.print(command + "\n", markup=False)
    out.print("Then look at the access log:  .venv/bin/perisai log verify")
    out.print("The service's own log is in .demo/service.log.\n")


def token(
    subject: Annotated[str, typer.Argument(help="Who: " + ", ".join(ROLES))],
    strong: Annotated[
        bool, typer.Option(help="As after a sign-in with a security key, now.")
    ] = False,
    dpop: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Print both headers of one POST to this address: a token bound to the key of "
            "the demo's application, and a proof of that key. Partners need it.",
        ),
    ] = None,
) -> None:
    """Print a fresh access token of one of the demo's people."""
    run(_token(subject, strong, dpop))


async def _token(subject: str, strong: bool, address: str | None) -> None:
    settings = settings_or_demo()
    if not settings.demo:
        raise RefusesToStart("Tokens are made here in the demo only; ask your own issuer.")
    people = {m.subject: m for m in synthetic(SEED, app.utc_now().date()).members}
    if subject not in people:
        raise RefusesToStart("There is nobody of that name; try: " + ", ".join(ROLES))
    folder = settings.signer().log_signing_key.parent
    client = client_of(folder, app.utc_now)
    member = people[subject]
    bound = address is not None or member.role is Role.PARTNER
    made = issuer_of(folder, app.utc_now).mint(
        member.organisation,
        subject,
        acr=STRONG_ACR if strong else None,
        auth_time=app.utc_now() if strong else None,
        key_thumbprint=client.thumbprint if bound else None,
    )
    if address is None:
        out.print(made, markup=False)
        return
    for name, value in client.headers(made, address).items():
        out.print(f"{name}: {value}", markup=False)


def seed(
    case_files: Annotated[int, typer.Option(min=2, help="How many case files.")] = 250,
) -> None:
    """Write synthetic records into empty databases whose settings say `demo = true`."""
    run(_seed(case_files))


async def _seed(case_files: int) -> None:
    settings = settings_or_demo()
    if not settings.demo:
        raise RefusesToStart("Synthetic records are for a demo: the settings do not say so.")
    records = synthetic(SEED, app.utc_now().date(), case_files)
    store = Records(engine_of(settings.records_url.get_secret_value()))
    async with AsyncExitStack() as closing:
        closing.push_async_callback(store.close)
        service = app.key_service(settings)
        closing.push_async_callback(service.close)
        await set_up_owners(store, service, organisation_rows(records))
    async with app.open_house(settings) as house:
        with bar("sealing case files", case_files) as progress:
            await seed_records(
                house, records, lambda count: progress.advance(progress.task_ids[0], count)
            )
    out.print(f"{len(records.defenders)} defenders in {case_files} case files.")
