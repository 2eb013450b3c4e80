"""A console whose settings would be unsafe, or do not fit one another, does not start."""

from pathlib import Path
from typing import Any

import pytest

from api.console.graphiql import GraphiQL
from api.console_settings import _secret
from api.errors import RefusesToStart
from api.identity.browser import Browsers
from api.settings import ConsoleClientSettings, read_settings

SESSIONS: Any = None  # Nothing of them is asked.

BASE = """records_url = "r"
log_url = "l"
log_reader_url = "r"
key_file = "k"
key_passphrase_file = "p"
owners = ["komnas-ham"]
issuers = [{url = "https://issuer.invalid", organisation = "komnas-ham", jwks = "jwks.json"}]
audience = "a"
log_origin = "o"
log_signing_key = "k"
log_state = "s"
"""
CLIENT = '{organisation = "komnas-ham", client_id = "c"}'


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        (f"console_clients = [{CLIENT}, {CLIENT}]", "console_clients"),
        ('console_clients = [{organisation = "lpsk", client_id = "c"}]', "console_clients"),
        ('console_clients = [{organisation = "komnas-ham"}]', "console_clients.0.client_id"),
        (
            f"console_clients = [{CLIENT[:-1]}, metadata = 'http://issuer.invalid/x'}}]",
            "console_clients.0.metadata",
        ),
        (f"console_clients = [{CLIENT[:-1]}, scope = 'records'}}]", "console_clients.0.scope"),
        (f"console_clients = [{CLIENT[:-1]}, secret = 'x'}}]", "console_clients.0.secret"),
        ('graphiql = "folder"', "graphiql"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    tmp_path: Path, more: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "perisai.toml"
    config.write_text(f"{more}\n{BASE}")
    monkeypatch.setenv("PERISAI_CONFIG", str(config))

    with pytest.raises(RefusesToStart, match=f"unusable: {wrong}. See"):
        read_settings()


@pytest.mark.parametrize(
    ("address", "demo", "origin"),
    [
        ("https://perisai.example", False, "https://perisai.example"),
        ("https://Perisai.Example:443", False, "https://perisai.example"),
        ("https://perisai.example:8443/below", False, "https://perisai.example:8443"),
        ("http://127.0.0.1:8463", True, "http://127.0.0.1:8463"),
        ("http://[::1]:8463", True, "http://[::1]:8463"),
        ("http://127.0.0.1:8463", False, None),
        ("http://perisai.example", True, None),
        ("http://127.0.0.1.example", True, None),
        ("https://user@perisai.example", True, None),
    ],
)
def test_a_session_is_carried_over_tls_or_on_this_machine_in_the_demo(
    address: str, demo: bool, origin: str | None
) -> None:
    if origin is None:
        with pytest.raises(RefusesToStart, match="over TLS only"):
            Browsers(SESSIONS, address, demo=demo)
        return
    browsers = Browsers(SESSIONS, address, demo=demo)

    assert browsers.origin == origin
    assert browsers.secure is browsers.session_cookie.startswith("__Host-")


def test_graphiql_that_is_not_there_is_said_with_what_puts_it_there(tmp_path: Path) -> None:
    with pytest.raises(RefusesToStart, match="make graphiql"):
        GraphiQL.at(tmp_path)


def test_a_secret_of_a_client_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with pytest.raises(RefusesToStart, match="cannot be read"):
        _secret(path)
    path.write_text(" very-secret\n")
    path.chmod(0o644)
    with pytest.raises(RefusesToStart, match="0600") as error:
        _secret(path)
    assert "very-secret" not in str(error.value)
    path.chmod(0o600)
    assert _secret(path) == "very-secret"
    path.write_text("\n")
    with pytest.raises(RefusesToStart, match="no secret"):
        _secret(path)


def test_a_client_asks_for_who_somebody_is() -> None:
    assert ConsoleClientSettings(organisation="a", client_id="b").scope == "openid"
