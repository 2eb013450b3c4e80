"""Two agencies, each with a process, a folder and keys of its own, on one pair of databases.

What they share is the records, the log and the log's own signing key. All of an agency's
keys, its passphrase and its issuer lie in its folder, and nothing of the other's does.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner
from uuid_utils.compat import uuid7

from api.app import open_house
from api.casework.provisioning import add_members
from api.cli.main import app
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from api.crypto.signatures import SigningKey
from api.demo.issuer import DemoIssuer
from api.migrations import upgrade
from api.settings import Settings
from api.vocabulary import CASEWORK_ROLES, Role
from tests.postgresql import Database
from tests.processes import Running, free_port

AUDIENCE = "perisai-two"

#: Seconds that keys may be on their way, several times what they take.
PATIENCE = 30.0


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Agency:
    """One agency: its folder, its process when it runs, and its people."""

    slug: str
    prefix: str
    folder: Path
    port: int = field(default_factory=free_port)
    members: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "perisai.toml"

    @property
    def settings(self) -> Settings:
        return Settings.at(self.config)

    @property
    def issuer(self) -> DemoIssuer:
        return DemoIssuer(self.folder / "issuer", demo=True, audience=AUDIENCE, clock=now)

    def serve(self) -> Running:
        return Running("serve", folder=self.folder, config=self.config)

    def token(self, subject: str) -> str:
        return self.issuer.mint(self.slug, subject)

    async def ask(
        self,
        subject: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        purpose: str = "protection",
        token: str | None = None,
    ) -> dict[str, Any]:
        """Ask the agency's own process; give the whole body."""
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            answer = await client.post(
                f"http://127.0.0.1:{self.port}/graphql/agency",
                json={"query": query, "variables": dict(variables or {})},
                headers={
                    "authorization": f"Bearer {token or self.token(subject)}",
                    "perisai-purpose": purpose,
                },
            )
        body: dict[str, Any] = answer.json()
        return body

    async def change(self, subject: str, query: str, variables: Mapping[str, Any]) -> Any:
        """Change something for the purpose of a referral; give the payload without errors."""
        body = await self.ask(subject, query, variables, purpose="referral")
        assert "errors" not in body, body
        [payload] = body["data"].values()
        assert payload["errors"] == [], payload
        return payload

    async def ready(self, running: Running) -> None:
        """Wait until its process answers."""
        start = time.monotonic()
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while time.monotonic() - start < PATIENCE:
                assert running.process is not None
                assert running.process.poll() is None, running.text()
                try:
                    answer = await client.get(f"http://127.0.0.1:{self.port}/readyz")
                    if answer.status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)  # another process has no other way to tell us
        raise AssertionError(running.text())


async def found(
    folder: Path, database: Database, slug: str, prefix: str, staff: Mapping[str, Role]
) -> Agency:
    """Set an agency up by its own commands; the keys are cheap, the rest is as in operation."""
    agency = Agency(slug, prefix, folder / slug)
    agency.folder.mkdir(mode=0o700)
    passphrase = secrets.token_urlsafe(32)
    (agency.folder / "passphrase").touch(mode=0o600)
    (agency.folder / "passphrase").write_text(passphrase)
    FileKeyService.create(agency.folder / "keys", lambda: passphrase, [slug], cost=Cost(8, 1, 1))
    jwks = agency.issuer.create(slug)
    lines = {
        "records_url": database.service_url,
        "log_url": database.service_url,
        "log_reader_url": database.log_reader_url,
        "log_signer_url": database.log_signer_url,
        "key_file": str(agency.folder / "keys"),
        "key_passphrase_file": str(agency.folder / "passphrase"),
        "owners": [slug],
        "audience": AUDIENCE,
        "log_origin": "two.invalid/log",
        "log_signing_key": str(folder / "log-key.pem"),
        "log_state": str(folder / "log-state"),
        "port": agency.port,
        "faces": ["agency"],
        "adhoc_roles": sorted(CASEWORK_ROLES),
    }
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())
    issuer = {"url": DemoIssuer.url(slug), "organisation": slug, "jwks": str(jwks)}
    text += "\n[[issuers]]\n" + "".join(f"{n} = {json.dumps(v)}\n" for n, v in issuer.items())
    agency.config.write_text(text)
    await said(agency, "organisations", "add", slug, "--name", slug, "--kind", "agency",
               "--prefix", prefix)  # fmt: skip
    rows = [
        {
            "id": uuid7(),
            "organisation": slug,
            "subject": subject,
            "role": role.value,
            "clearance": 4,
            "trained": 0,
            "disabled_at": None,
        }
        for subject, role in staff.items()
    ]
    async with open_house(agency.settings) as house:
        await add_members(house, slug, rows)
    agency.members = {str(row["subject"]): str(row["id"]) for row in rows}
    return agency


async def said(agency: Agency, *words: str) -> str:
    """Run one command of the agency's operators, under its settings; give what it prints."""
    environment = {"PERISAI_CONFIG": str(agency.config)}
    done = await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


async def introduced(one: Agency, other: Agency) -> None:
    """Let the operators tell each other their fingerprints, and pin them."""
    told = [(await said(a, "organisations", "fingerprint")).split(": ")[1] for a in (one, other)]
    await said(one, "organisations", "trust", other.slug, "--fingerprint", told[1])
    await said(other, "organisations", "trust", one.slug, "--fingerprint", told[0])


async def databases(folder: Path, database: Database) -> None:
    """Make the tables, and the log's own signing key, which is no agency's."""
    await upgrade("records", database.owner_url)
    await upgrade("log", database.owner_url)
    SigningKey.generate().save(folder / "log-key.pem")
