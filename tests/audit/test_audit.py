"""Each face speaks GraphQL over HTTP: all server audits of graphql-http, over a real server.

Their packages are installed by `make test-long`, from the lock beside this file; the
audit itself talks to loopback only.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from api.crypto.key_file import Cost
from api.demo.install import Databases, client_of, install, issuer_of
from api.demo.synthetic import RATNA, SARI, TUTI, synthetic
from api.vocabulary import Role
from tests.processes import Running, free_port

HERE = Path(__file__).parent
NODE = Path(sys.executable).with_name("node")

#: As many as version 1.23 of graphql-http has.
AUDITS = 61
#: More than their requests.
PROOFS = 3 * AUDITS

WHO = {"agency": SARI, "partner": RATNA, "oversight": TUTI}

pytestmark = pytest.mark.long


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """Serve the three faces, with GET and everybody's own texts.

    Gives where each is, and the headers of who may ask.
    """
    home = tmp_path_factory.mktemp("audit")
    folder, port, records = home / "perisai", free_port(), synthetic(11, date(2026, 11, 2), 10)
    config = asyncio.run(
        install(
            folder,
            Databases.embedded(folder),
            records,
            clock=now,
            progress=lambda _count: None,
            port=port,
            cost=Cost(8, 1, 1),
        )
    )
    issuer = issuer_of(folder, now)
    audited = {
        "PERISAI_GET_REQUESTS": "true",
        "PERISAI_ADHOC_ROLES": json.dumps(list(Role)),  # An audit sends texts of its own.
    }
    with Running("serve", folder=home, config=config, more=audited) as service:
        service.wait_until_ready(port)
        application = client_of(folder, now)
        asked = []
        for face, who in WHO.items():
            member, address = records.member(who), f"http://127.0.0.1:{port}/graphql/{face}"
            if member.role is Role.PARTNER:
                key = application.thumbprint
                token = issuer.mint(member.organisation, who, key_thumbprint=key)
                # A proof is good once.
                signed = [application.headers(token, address) for _ in range(PROOFS)]
            else:
                token = issuer.mint(member.organisation, who)
                signed = [{"authorization": f"Bearer {token}"}]
            headers = [{"perisai-purpose": "protection", **each} for each in signed]
            asked.append({"url": address, "headers": headers})
        yield asked
        assert service.end() == 0, service.text()


def test_every_face_passes_every_audit(
    faces: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert (HERE / "node_modules").is_dir(), "make test-long installs the audits"
    run = subprocess.run(
        [NODE, HERE / "audit.mjs"],
        input=json.dumps(faces),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr

    told = json.loads(run.stdout)
    for face, results in zip(WHO, told, strict=True):
        passed = sum(one["status"] == "ok" for one in results)
        with capsys.disabled():
            sys.stdout.write(f"\naudits of {face}: {passed} of {len(results)}")
        assert [one for one in results if one["status"] != "ok"] == []
        assert len(results) == AUDITS
