"""Changes of the log's signing key, and of its name after a restore, by its operators."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from api.accesslog.epoch import Epoch, approve, approver_key, read_epoch
from api.accesslog.key_change import change_key as change_log_key
from api.accesslog.key_change import prepared_key
from api.accesslog.ledger import Ledger
from api.accesslog.new_epoch import begin, document_path, old_state_path, prepare
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.signer import Source
from api.app import utc_now
from api.cli.terminal import one_line, out, run, signer_settings_or_demo
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid, RefusesToStart
from api.log_settings import approver_keys, log_source, log_writer
from api.settings import SignerSettings
from api.vocabulary import EpochReason

Document = Annotated[Path, typer.Argument(help="The document that two approve.")]
Name = Annotated[
    str, typer.Option(help="An office or a pseudonym, such as lpsk/approver-1; never a name.")
]


def change_key(
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only make the next key, and print its verifier key.")
    ] = False,
) -> None:
    """Let a new signing key follow the present one. The signer must be stopped.

    Prints the new verifier key, to be given to whoever verifies the log.
    """
    with one_line():
        settings = signer_settings_or_demo()
        if prepare:
            public = prepared_key(settings.log_signing_key).public
            out.print(str(VerifierKey(settings.log_origin, ED25519, public)), markup=False)
            return
    old, new = run(_change_key(settings))
    out.print(str(new), markup=False)
    out.print(f"It follows {old}, which counts no more. Start the signer.", markup=False)


async def _change_key(settings: SignerSettings) -> tuple[VerifierKey, VerifierKey]:
    async with _opened(settings) as (source, ledger):
        return await change_log_key(
            settings.log_state,
            settings.log_signing_key,
            settings.log_origin,
            source,
            ledger.append,
            utc_now,
        )


def prepare_epoch(
    document: Annotated[Path, typer.Argument(help="A new file.")],
    reason: Annotated[EpochReason, typer.Option(help="Why the log cannot just go on.")],
    newest: Annotated[
        Path | None,
        typer.Option(help="If the signer's state is lost: the newest checkpoint anybody holds."),
    ] = None,
) -> None:
    """Write down what two persons must approve before a restored log can go on."""
    with one_line():
        settings = signer_settings_or_demo()
        held = None if newest is None else _text(newest)
    epoch = run(_prepare(settings, reason, held))
    with one_line():
        _put(document, str(epoch), new=True)
    _show(epoch)
    out.print(f"Two approvers sign it: perisai log approve-epoch {document} ...", markup=False)


async def _prepare(settings: SignerSettings, reason: EpochReason, newest: str | None) -> Epoch:
    source = log_source(settings.url)
    await source.open()
    try:
        return await prepare(
            settings.log_state,
            SigningKey.load(settings.log_signing_key),
            settings.log_origin,
            source,
            utc_now().date(),
            reason,
            newest,
        )
    finally:
        await source.close()


def create_approver_key(
    key: Annotated[Path, typer.Argument(help="A new file, on the approver's own machine.")],
    name: Name,
) -> None:
    """Make an approver's key; its printed half goes into `log_epoch_approvers`."""
    with one_line():
        made = SigningKey.generate()
        public = _named(name, made)
        try:
            made.save(key)
        except OSError:
            raise RefusesToStart(f"No key can be made at {key}.") from None
        out.print(str(public), markup=False)


def approve_epoch(
    document: Document,
    key: Annotated[Path, typer.Option(help="The approver's own key.")],
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Sign a document, after reading it. Needs nothing but the file and the own key."""
    with one_line():
        text = _text(document)
        try:
            _show(read_epoch(text))
            mine = SigningKey.load(key)
            _named(name, mine)
            if not yes:
                typer.confirm("Do you approve that the log goes on like this?", abort=True)
            _put(document, approve(text, name, mine))
        except NoteInvalid:
            raise RefusesToStart(
                f"{document} is no document of an epoch, or {name} signed it already."
            ) from None
    out.print("Approved. Hand the file on.")


def new_epoch(document: Document) -> None:
    """Let a restored log go on under its new name, as two persons approved."""
    with one_line():
        settings = signer_settings_or_demo()
    epoch = run(_new_epoch(settings, document))
    out.print(
        f"Set `log_origin` to {epoch.new.name} wherever it stands, and give everybody who "
        "verifies the log its key:"
    )
    out.print(str(epoch.new), markup=False)
    out.print(
        f"Keep {old_state_path(settings.log_state, epoch)} and "
        f"{document_path(settings.log_state, epoch)}."
    )


async def _new_epoch(settings: SignerSettings, document: Path) -> Epoch:
    async with _opened(settings) as (source, ledger):
        return await begin(
            _text(document),
            approver_keys(settings),
            settings.log_state,
            SigningKey.load(settings.log_signing_key),
            source,
            ledger.append,
            utc_now,
        )


@asynccontextmanager
async def _opened(settings: SignerSettings) -> AsyncIterator[tuple[Source, Ledger]]:
    """Open the log as the signer does, and as whoever adds an event to it does."""
    if settings.log_url is None:
        raise RefusesToStart("This adds an event to the log: set `log_url` for it.")
    source = log_source(settings.url)
    ledger = Ledger(log_writer(settings.log_url.get_secret_value()))
    await source.open()
    try:
        await ledger.start()
        yield source, ledger
    finally:
        await ledger.close()
        await source.close()


def _named(name: str, key: SigningKey) -> VerifierKey:
    try:
        return approver_key(name, key)
    except NoteInvalid:
        raise RefusesToStart(
            "An approver is called by small letters, digits, and . / _ - between them."
        ) from None


def _show(epoch: Epoch) -> None:
    """Print what is approved, in words."""
    out.print(
        f"The log {epoch.old.name} was signed for up to {epoch.old_size} events, "
        f"root {epoch.old_root.hex()}."
    )
    out.print(f"What is there now has {epoch.size} events, root {epoch.root.hex()}.")
    lost = max(epoch.old_size - epoch.size, 0)
    out.print(f"It goes on as {epoch.new.name}. Lost: {lost} events. {epoch.reason}, {epoch.on}.")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise RefusesToStart(f"{path} cannot be read.") from None


def _put(path: Path, text: str, *, new: bool = False) -> None:
    try:
        with path.open("x" if new else "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError:
        raise RefusesToStart(f"{path} cannot be written, or is there already.") from None
