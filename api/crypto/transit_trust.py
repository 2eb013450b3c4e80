"""What is checked of an OpenBao server and of our token before the first call.

The token opens every key of its owners, and keys travel in the answers: nothing goes
over a line that others can read, and no file that others can read is used.
"""

import ipaddress
import os
import re
import ssl
import stat
from pathlib import Path
from urllib.parse import urlsplit

from api.errors import RefusesToStart

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


def checked_address(address: str) -> str:
    """Give *address* as scheme, host and port.

    Raises:
        RefusesToStart: whoever is on the way could read keys and token.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        plain = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        host, plain = "", False
    # The address itself is not shown: one with a password in it would be in the terminal.
    if not plain or not host or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise RefusesToStart("`openbao_address` is not an address like https://bao.example:8200.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise RefusesToStart("`openbao_address` is http to another machine: use https.")
    return f"{parts.scheme}://{parts.netloc}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Trust the certificates in *ca_file* alone, or else those of the system.

    Raises:
        RefusesToStart: it cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError:  # An SSLError is one, too.
        raise RefusesToStart(f"The CA file {ca_file} is missing or holds no certificate.") from None


def trust_nobody() -> ssl.SSLContext:
    """Give a context in which no certificate holds."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def token_of(path: Path) -> str:
    """Read the token.

    Raises:
        RefusesToStart: it cannot be read, others can read it too, or it is none.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) or mode & 0o077:
                raise RefusesToStart(f"The token file {path} is open to others: chmod 600 it.")
            token = file.read(8192).decode("ascii", errors="replace").strip()
    except OSError:
        raise RefusesToStart(f"The token file {path} is missing or cannot be read.") from None
    if not _TOKEN.fullmatch(token):
        raise RefusesToStart(f"The token file {path} does not hold one token.")
    return token
