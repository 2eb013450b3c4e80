"""From nothing to a first sign-in with the commands alone, as docs/operations.md says."""

import asyncio
import hashlib
import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from api.app import create_app, utc_now
from api.cli.main import app
from api.demo.issuer import DemoIssuer
from api.settings import Settings

SETTINGS = """
records_url = "sqlite+aiosqlite:///{folder}/records.sqlite"
log_url = "sqlite+aiosqlite:///{folder}/log.sqlite"
log_reader_url = "sqlite+aiosqlite:///{folder}/log.sqlite"
key_file = "{folder}/keys"
key_passphrase_file = "{folder}/passphrase"
owners = ["komnas-ham"]
audience = "perisai-test"
log_origin = "test.invalid/log"
log_signing_key = "{folder}/log-key.pem"
log_state = "{folder}/log-state"
documents = "{folder}/documents"

[[issuers]]
url = "{issuer}"
organisation = "komnas-ham"
jwks = "{jwks}"
"""


VIEWER = b"query Viewer { viewer { memberId role } }"
VIEWER_ID = "sha256:" + hashlib.sha256(VIEWER).hexdigest()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    issuer = DemoIssuer(tmp_path / "issuer", demo=True, audience="perisai-test", clock=utc_now)
    jwks = issuer.create("komnas-ham")
    (tmp_path / "passphrase").touch(mode=0o600)
    (tmp_path / "passphrase").write_text("correct horse battery staple\n")
    config = tmp_path / "perisai.toml"
    config.write_text(SETTINGS.format(folder=tmp_path, issuer=issuer.url("komnas-ham"), jwks=jwks))
    monkeypatch.setenv("PERISAI_CONFIG", str(config))
    return tmp_path


def perisai(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    return result.stderr


async def viewer(folder: Path) -> httpx.Response:
    issuer = DemoIssuer(folder / "issuer", demo=True, audience="perisai-test", clock=utc_now)
    service = create_app(Settings.at(folder / "perisai.toml"))
    async with service.router.lifespan_context(service):
        transport = httpx.ASGITransport(service)
        async with httpx.AsyncClient(transport=transport, base_url="http://perisai") as client:
            return await client.post(
                "/graphql/agency",
                content=json.dumps({"documentId": VIEWER_ID}),
                headers={
                    "authorization": f"Bearer {issuer.mint('komnas-ham', 'first')}",
                    "content-type": "application/json",
                },
            )


def test_the_commands_lead_from_nothing_to_a_first_sign_in_and_its_end(folder: Path) -> None:
    perisai("keys", "create")
    perisai("log", "create-key")
    url = f"sqlite+aiosqlite:///{folder}"
    perisai(
        "migrate",
        *("--records-url", f"{url}/records.sqlite"),
        *("--log-url", f"{url}/log.sqlite"),
    )
    perisai(
        "organisations", "add", "komnas-ham", "--name", "N", "--kind", "agency", "--prefix", "KH"
    )
    member = perisai("members", "add", "komnas-ham", "first", "--role", "supervisor").strip()

    (folder / "documents").mkdir()
    (folder / "viewer.graphql").write_bytes(VIEWER)
    assert VIEWER_ID in perisai("documents", "add", "agency", str(folder / "viewer.graphql"))

    answer = asyncio.run(viewer(folder))

    assert answer.json()["data"]["viewer"] == {"memberId": member, "role": "SUPERVISOR"}
    perisai("members", "disable", "komnas-ham", "first")
    assert asyncio.run(viewer(folder)).status_code == 403
    assert "The log holds" in perisai("log", "verify")
    assert "0 records are erased" in perisai("erasure", "replay")
    assert "rewritten" in perisai("erasure", "clean")


def test_each_command_says_in_one_line_why_it_refuses(folder: Path) -> None:
    assert "keys" in refused("keys", "status")
    perisai("keys", "create")
    assert "already" in refused("keys", "create")
    assert "Keys of lpsk are in" in perisai("keys", "add", "lpsk")
    assert "already" in refused("keys", "add", "lpsk")
    perisai("log", "create-key")
    assert "already" in refused("log", "create-key")
    assert "migrate" in refused("members", "disable", "komnas-ham", "nobody")
    assert "owners" in refused(
        "organisations", "add", "lpsk", "--name", "L", "--kind", "agency", "--prefix", "LP"
    )
    assert "demo" in refused("token", "sari")
    assert "demo" in refused("seed")
