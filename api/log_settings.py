"""What the settings say of the access log: how to write to it, and whose keys count."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import make_url

from api.accesslog.ledger import Writer
from api.accesslog.ledger_postgresql import PostgresqlSource, PostgresqlWriter
from api.accesslog.ledger_sqlite import SqliteWriter
from api.accesslog.log_keys import LogKeys
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.signer import Signer
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid, RefusesToStart
from api.settings import Settings, SignerSettings


def log_writer(url: str) -> Writer:
    """Give what appends to the access log at *url*, with the service's role."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteWriter(Path(parsed.database or ""))
    return PostgresqlWriter(url)


def log_source(url: str) -> SqliteWriter | PostgresqlSource:
    """Give what the signer reads and writes of the log at *url*, with its own role."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteWriter(Path(parsed.database or ""))
    return PostgresqlSource(url)


def signer_of(settings: SignerSettings) -> Signer:
    """Give the signer, with its key; it touches nothing else yet.

    Raises:
        RefusesToStart: the key cannot be used.
    """
    key = SigningKey.load(settings.log_signing_key)
    return Signer(settings.log_state, key, settings.log_origin)


def verifier_keys(texts: Sequence[str], setting: str) -> tuple[VerifierKey, ...]:
    """Read verifier keys (C2SP vkeys) that stand in *setting*.

    Raises:
        RefusesToStart: one is malformed.
    """
    try:
        return tuple(VerifierKey.parse(text) for text in texts)
    except NoteInvalid:
        raise RefusesToStart(f"A key in `{setting}` is malformed.") from None


def log_keys(settings: Settings) -> tuple[VerifierKey, ...]:
    """Give the keys that sign, or signed, the log's checkpoints, the present one first.

    Raises:
        RefusesToStart: one is malformed, or there is none of the log's origin.
    """
    keys = list(verifier_keys(settings.log_keys, "log_keys"))
    if settings.log_signer == "embedded":
        public = SigningKey.load(settings.signer().log_signing_key).public
        keys.insert(0, VerifierKey(settings.log_origin, ED25519, public))
    keys.sort(key=lambda key: key.name != settings.log_origin)
    if not keys or keys[0].name != settings.log_origin:
        raise RefusesToStart("No key in `log_keys` has the `log_origin` for its name.")
    return tuple(dict.fromkeys(keys))


def approver_keys(settings: Settings | SignerSettings) -> tuple[VerifierKey, ...]:
    """Give the keys of the persons of whom two let a restored log go on.

    Raises:
        RefusesToStart: one is malformed, or two are of one person.
    """
    keys = verifier_keys(settings.log_epoch_approvers, "log_epoch_approvers")
    if len({key.name for key in keys}) < len(keys) or len({key.public for key in keys}) < len(keys):
        raise RefusesToStart("A name or a key stands twice in `log_epoch_approvers`.")
    return keys


def known_keys(settings: Settings) -> LogKeys:
    """Give what the settings know of the log's keys; the log's checkpoints tell the rest."""
    return LogKeys(log_keys(settings), approver_keys(settings))
