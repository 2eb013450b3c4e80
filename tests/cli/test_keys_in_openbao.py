"""The operator's commands on keys in OpenBao."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.demo.synthetic_members import ORGANISATIONS
from tests.crypto.openbao_services import token_for
from tests.openbao import OpenBaoServer, token_file

SETTINGS = """
records_url = "sqlite+aiosqlite:///{folder}/records.sqlite"
log_url = "sqlite+aiosqlite:///{folder}/log.sqlite"
log_reader_url = "sqlite+aiosqlite:///{folder}/log.sqlite"
key_service = "openbao"
openbao_address = "{address}"
openbao_token_file = "{folder}/token"
openbao_key_prefix = "{prefix}"
openbao_time_out = 2.9
owners = {owners}
demo = true
audience = "perisai-test"
log_origin = "test.invalid/log"
log_signing_key = "{folder}/log-key.pem"
log_state = "{folder}/log-state"
issuers = [{{url = "https://issuer.invalid", organisation = "lpsk", jwks = "jwks.json"}}]
"""


OWNERS = tuple(organisation.slug for organisation in ORGANISATIONS)
TWO = ("komnas-ham", "lpsk")


@pytest.fixture
def prefix(bao: OpenBaoServer) -> str:
    return bao.new_prefix()


def configured(
    bao: OpenBaoServer, prefix: str, owners: tuple[str, ...], folder: Path, on: pytest.MonkeyPatch
) -> Path:
    """Write settings for the token of a service, and give that of the operator."""
    token_file(folder, token_for(bao, prefix, *owners))
    (folder / "keeper").mkdir()
    config = folder / "perisai.toml"
    config.write_text(
        SETTINGS.format(
            folder=folder, address=bao.address, prefix=prefix, owners=json.dumps(owners)
        )
    )
    on.setenv("PERISAI_CONFIG", str(config))
    return token_file(folder / "keeper", token_for(bao, prefix, *owners, keeper=True))


def perisai(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_operator_makes_keys_with_a_token_that_the_service_has_not(
    bao: OpenBaoServer, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = configured(bao, prefix, TWO, tmp_path, monkeypatch)
    runner = CliRunner()

    refused = [runner.invoke(app, ["keys", *words]) for words in (["status"], ["create"])]
    monkeypatch.setenv("PERISAI_OPENBAO_TOKEN_FILE", str(keeper))
    made, again = [runner.invoke(app, ["keys", "create"]) for _ in range(2)]
    monkeypatch.delenv("PERISAI_OPENBAO_TOKEN_FILE")
    status = runner.invoke(app, ["keys", "status"])

    assert [(r.exit_code, r.stderr.split(":")[0]) for r in refused] == [(1, "KEYS_UNAVAILABLE")] * 2
    assert (made.exit_code, again.exit_code) == (0, 1)
    assert "Keys of komnas-ham, lpsk are in OpenBao" in made.stdout
    assert "already" in again.stderr
    assert status.exit_code == 0
    assert status.stdout.count("│ 1   ") == 4


def test_the_operator_rotates_and_retires_them_by_commands(
    bao: OpenBaoServer, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = configured(bao, prefix, OWNERS, tmp_path, monkeypatch)
    monkeypatch.setenv("PERISAI_OPENBAO_TOKEN_FILE", str(keeper))
    url = f"sqlite+aiosqlite:///{tmp_path}"
    perisai("keys", "create")
    perisai("log", "create-key")
    perisai(
        *("migrate", "--records-url", f"{url}/records.sqlite", "--log-url", f"{url}/log.sqlite")
    )
    perisai("seed", "--case-files", "4")

    rotated = [perisai("keys", "rotate", f"--{kind}") for kind in ("kek", "data", "index")]
    retired = perisai("keys", "retire", "--all-unused")

    for said in rotated:
        assert said.count(" done.") == len(OWNERS)
    for owner in OWNERS:
        assert f"{owner}: kek below version 2 is destroyed." in retired
        assert f"{owner}: idx below version 2 is destroyed." in retired
    monkeypatch.delenv("PERISAI_OPENBAO_TOKEN_FILE")
    assert "The log holds" in perisai("log", "verify")
