"""`perisai witness ...` as its operator runs it: real processes, killed and restarted."""

import base64
import os
import signal
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.cosignature import cosignatures, text_of
from api.accesslog.note import COSIGNATURE, ED25519, VerifierKey
from api.accesslog.witness import MAX_REQUEST
from api.cli.main import app
from api.crypto.signatures import SigningKey
from tests.accesslog.reference import Reference
from tests.processes import LIMIT, Running, free_port

LOG_KEY = SigningKey.from_seed(bytes(range(32)))
LOG = VerifierKey("perisai.example/log", ED25519, LOG_KEY.public)
TREE = Reference([b"leaf %d" % number for number in range(20)])

SETTINGS = """
name = "witness.example/w1"
key = "{folder}/witness-key.pem"
state = "{folder}/witness-state.sqlite3"
port = {port}

[[logs]]
origin = "{origin}"
keys = ["{key}"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write the settings of a new witness."""
    path = tmp_path / "witness.toml"
    path.write_text(SETTINGS.format(folder=tmp_path, port=free_port(), origin=LOG.name, key=LOG))
    return path


def invoke(config: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["witness", *arguments, "--config", str(config)])
    return result.exit_code, result.stdout, result.stderr


def request(old: int, new: int) -> tuple[str, bytes]:
    """Give the note of *new* and the request that shows it."""
    note = Checkpoint(LOG.name, new, TREE.root(0, new)).sign(LOG_KEY)
    proof = TREE.proof(old, new) if 0 < old < new else []
    lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
    return note, f"old {old}\n{lines}\n{note}".encode()


def address(config: Path) -> str:
    port = next(line for line in config.read_text().splitlines() if line.startswith("port"))
    return f"http://127.0.0.1:{port.rpartition(' ')[2]}"


def serving(config: Path) -> Running:
    return Running("witness", "serve", "--config", str(config), folder=config.parent)


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait(url: str) -> None:
    """Wait until the witness answers."""
    limit = time.monotonic() + LIMIT
    while time.monotonic() < limit:
        try:
            assert httpx.get(f"{url}/healthz").json() == {"status": "alive"}
        except httpx.TransportError:
            time.sleep(0.02)  # another process has no other way to tell us
        else:
            return
    pytest.fail("the witness did not start")


@pytest.mark.long
def test_a_witness_that_is_killed_goes_on_where_it_was(config: Path) -> None:
    status, out, _ = invoke(config, "create-key")
    assert status == 0
    key = VerifierKey.parse(out.strip())
    assert (key.name, key.kind) == ("witness.example/w1", COSIGNATURE)
    assert invoke(config, "key")[1] == out
    url = address(config)

    for old, new in ((0, 5), (5, 9)):
        with serving(config) as running:
            wait(url)
            note, body = request(old, new)
            answer = httpx.post(f"{url}/add-checkpoint", content=body)

            assert answer.status_code == 200
            [one] = cosignatures(text_of(note), answer.text, [key])
            assert abs(one.at - time.time()) < LIMIT
            # Killed right after its answer: what it answered for is on the disk.
            assert running.process is not None
            workers = children(running.process.pid)
            assert workers
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            running.process.wait(LIMIT)

    with serving(config) as running:
        wait(url)
        for old, new in ((0, 5), (5, 9), (0, 3)):
            conflict = httpx.post(f"{url}/add-checkpoint", content=request(old, new)[1])
            assert (conflict.status_code, conflict.text) == (409, "9\n")
            assert conflict.headers["content-type"] == "text/x.tlog.size"
        large = httpx.post(f"{url}/add-checkpoint", content=b"x" * (MAX_REQUEST + 1))
        assert large.status_code == 413
        assert httpx.get(f"{url}/add-checkpoint").status_code == 405
        assert httpx.post(f"{url}/elsewhere", content=b"").status_code == 404
        assert running.end() == 0
        told = running.text()
    assert told.count('"event": "add_checkpoint"') == 4
    assert LOG.name not in told


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("name =", "# name =", "missing or unusable: name"),
        ("port =", "post =", "missing or unusable: post"),
        (str(LOG), "no key", "is no verifier key"),
        ('origin = "perisai', 'origin = "other', "not of its origin"),
        ("witness.example/w1", "two words", "no space"),
        ("name =", "name ", "cannot be read as TOML"),
    ],
)
def test_settings_that_cannot_be_used_are_named(config: Path, old: str, new: str, why: str) -> None:
    assert invoke(config, "create-key")[0] == 0
    config.write_text(config.read_text().replace(old, new, 1))

    status, out, err = invoke(config, "serve")

    assert (status, out) == (1, "")
    assert why in err
    assert len(err.strip().splitlines()) == 1


def test_a_witness_that_lost_its_state_or_key_does_not_go_on(config: Path) -> None:
    assert "lost its state" in invoke(config, "serve")[2]
    assert invoke(config, "create-key")[0] == 0
    again = invoke(config, "create-key")
    assert again[:2] == (1, "")
    assert "There is a state" in again[2]

    (config.parent / "witness-state.sqlite3").unlink()
    assert "lost its state" in invoke(config, "serve")[2]
    # The key has cosigned: it gets no empty state.
    assert "There is a key" in invoke(config, "create-key")[2]
    assert not (config.parent / "witness-state.sqlite3").exists()


def test_key_and_state_are_for_the_owner_only(config: Path) -> None:
    invoke(config, "create-key")

    for name in ("witness-key.pem", "witness-state.sqlite3"):
        assert (config.parent / name).stat().st_mode & 0o777 == 0o600
