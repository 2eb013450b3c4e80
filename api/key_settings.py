"""What the settings say of the keys: a file and its passphrase, or OpenBao."""

from pathlib import Path

from api.crypto.openbao_key_service import OpenBaoKeyService
from api.crypto.transit import Transit
from api.errors import RefusesToStart
from api.settings import Settings


def passphrase(settings: Settings) -> str:
    """Read the passphrase of the key file.

    Raises:
        RefusesToStart: it cannot be read, or others can read it too.
    """
    path = settings.key_passphrase_file
    if path is None:
        raise RefusesToStart("The settings name no `key_passphrase_file`.")
    return passphrase_in(path)


def passphrase_in(path: Path) -> str:
    """Read the passphrase that is in the file at *path*.

    Raises:
        RefusesToStart: it cannot be read, or others can read it too.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise RefusesToStart(f"The passphrase file {path} is open to others: chmod 600 it.")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):  # The latter's error holds what it could not decode.
        raise RefusesToStart(f"The passphrase file {path} cannot be read.") from None


def key_file_path(settings: Settings) -> Path:
    """Give the path of the key file.

    Raises:
        RefusesToStart: the settings name none.
    """
    if settings.key_file is None:
        raise RefusesToStart("The settings name no `key_file`: the keys are elsewhere.")
    return settings.key_file


def openbao(settings: Settings) -> OpenBaoKeyService:
    """Give the key service in OpenBao; nothing is asked of it yet.

    Raises:
        RefusesToStart: a setting, or a file that one names, cannot be used.
    """
    if settings.openbao_address is None or settings.openbao_token_file is None:
        raise RefusesToStart("Set `openbao_address` and `openbao_token_file`.")
    transit = Transit(
        settings.openbao_address,
        settings.openbao_token_file,
        mount=settings.openbao_mount,
        ca_file=settings.openbao_ca_file,
        time_out=settings.openbao_time_out,
    )
    return OpenBaoKeyService(transit, settings.owners, prefix=settings.openbao_key_prefix)
