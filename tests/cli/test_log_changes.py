"""The runbooks of docs/operations.md: a change of the log's key, and a restored log."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.accesslog.note import VerifierKey
from api.cli.main import app
from api.demo.synthetic import SARI
from tests.cli.test_log import invoke
from tests.conftest import NOON
from tests.world import Clock, Template, opened

LIST = "{ caseFiles(first: 3) { edges { node { reference } } } }"

pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


@pytest.fixture
async def config(template: Template, tmp_path: Path) -> Path:
    """Give the settings of an installation in which a few things were asked, now at rest."""
    await worked(template, tmp_path / "perisai")
    return tmp_path / "perisai" / "perisai.toml"


async def worked(template: Template, folder: Path) -> None:
    async with opened(template, folder, Clock(NOON), drop=False) as world:
        for _ in range(3):
            await world.ask(SARI, LIST)


def done(config: Path, *arguments: str) -> str:
    status, out, err = invoke(config, *arguments)
    assert status == 0, err
    return out


def refused(config: Path, *arguments: str, status: int = 1) -> str:
    found, out, err = invoke(config, *arguments)
    assert (found, out) == (status, ""), (out, err)
    assert status == 2 or len(err.strip().splitlines()) == 1, err
    return err


def alone(*arguments: str) -> tuple[int, str]:
    """Run a command of an approver, who has no settings of ours."""
    result = CliRunner().invoke(app, arguments, env={"PERISAI_CONFIG": None})
    return result.exit_code, result.stdout + result.stderr


def set_to(config: Path, name: str, value: str) -> None:
    lines = [line for line in config.read_text().splitlines() if not line.startswith(f"{name} ")]
    config.write_text("\n".join([f"{name} = {value}", *lines]))


def events(out: str) -> int:
    assert out.startswith("The log holds: ")
    return int(out.split()[3])


def test_a_key_is_changed_and_whoever_trusts_either_can_verify(config: Path) -> None:
    old = done(config, "log", "key").strip()
    prepared = done(config, "log", "change-key", "--prepare").strip()
    assert done(config, "log", "change-key", "--prepare").strip() == prepared

    told = done(config, "log", "change-key").splitlines()

    new = done(config, "log", "key").strip()
    assert told[0] == new == prepared != old
    assert old in told[1]
    done(config, "members", "disable", "komnas-ham", SARI)  # an embedded signer goes on with it
    for key in (old, new):
        assert events(done(config, "log", "verify", "--key", key)) > 3
    assert events(done(config, "log", "verify")) > 3
    folder = config.parent / "export"
    done(config, "log", "export", str(folder))
    done(config, "log", "verify", "--export", str(folder), "--key", new)
    refused(config, "log", "verify", "--export", str(folder), "--key", old, status=2)


def test_a_restored_log_goes_on_when_two_approve_and_verify_says_what_was_lost(
    config: Path, tmp_path: Path
) -> None:
    log = config.parent / "log.sqlite"
    older = tmp_path / "backup.sqlite"
    with sqlite3.connect(log) as source, sqlite3.connect(older) as target:
        source.backup(target)
    kept = events(done(config, "log", "verify"))
    done(config, "members", "disable", "komnas-ham", SARI)
    size = events(done(config, "log", "verify")) + 1  # That it was verified is an event, too.
    key = done(config, "log", "key").strip()
    assert "continues what was signed for" in refused(
        config, "log", "prepare-epoch", str(tmp_path / "early"), "--reason", "disk_failure"
    )
    assert not (tmp_path / "early").exists()
    for path in log.parent.glob("log.sqlite*"):
        path.unlink()
    shutil.copy(older, log)

    # Nothing starts, and the message says why.
    error = refused(config, "members", "disable", "komnas-ham", "budi", status=2)
    assert f"{size} entries were signed for" in error
    refused(config, "log", "verify", status=2)

    # Each approver makes a key on a machine of their own, long before; the halves are set.
    approvers = {"lpsk/approver-1": tmp_path / "p.pem", "komnas-ham/approver-1": tmp_path / "q.pem"}
    public = []
    for name, path in approvers.items():
        status, out = alone("log", "create-approver-key", str(path), "--name", name)
        assert status == 0, out
        assert VerifierKey.parse(out.strip()).name == name
        public.append(out.strip())
    first, second = approvers.items()
    document = tmp_path / "epoch.txt"
    out = done(config, "log", "prepare-epoch", str(document), "--reason", "disk_failure")
    assert f"Lost: {size - kept} events. disk_failure" in out
    prepared = document.read_text()

    # Not without approvers in the settings; not with one; not when it was changed.
    approve = ("log", "approve-epoch", str(document), "--yes")
    status, out = alone(*approve, "--key", str(first[1]), "--name", first[0])
    assert (status, f"signed for up to {size} events" in out) == (0, True), out
    status, out = alone(*approve, "--key", str(first[1]), "--name", first[0])
    assert (status, "signed it already" in out) == (1, True)
    assert "not approved by two" in refused(config, "log", "new-epoch", str(document))
    keys = ", ".join(f'"{one}"' for one in public)
    set_to(config, "log_epoch_approvers", f"[{keys}]")
    assert "not approved by two" in refused(config, "log", "new-epoch", str(document))
    status, out = alone(*approve, "--key", str(second[1]), "--name", second[0])
    assert status == 0, out
    approved = document.read_text()
    document.write_text(approved.replace("disk_failure", "tampering"))
    assert "changed since" in refused(config, "log", "new-epoch", str(document))
    document.write_text(approved)
    assert approved.startswith(prepared)

    out = done(config, "log", "new-epoch", str(document))

    new = VerifierKey.parse(out.splitlines()[1])
    assert new.name == "perisai-demo.invalid/log/epoch-2"
    assert VerifierKey.parse(key).public == new.public
    assert (config.parent / "log-signer-state.before-epoch-2").exists()
    assert (config.parent / "log-signer-state.epoch-2").read_text() == approved
    assert "another log" in refused(config, "members", "disable", "komnas-ham", "budi")
    set_to(config, "log_origin", f'"{new.name}"')
    done(config, "members", "add", "komnas-ham", "new", "--role", "supervisor")

    out = done(config, "log", "verify")
    assert events(out) == kept + 4  # the epoch; start, intent, outcome
    told = next(line for line in out.splitlines() if line.startswith("It goes on as"))
    assert f"{new.name} from event {kept}, approved by two" in told
    assert f"{size - kept} events of perisai-demo.invalid/log that were signed for are lost" in told
    # An auditor trusts a key, and approvers, and neither alone.
    both = ("--approver", public[0], "--approver", public[1])
    again = done(config, "log", "verify", "--key", key, *both)
    assert events(again) == events(out) + 1  # The first verification.
    assert told in again
    stranger = ("--approver", public[0], "--approver", str(new))
    for trusted in (key, str(new)):
        refused(config, "log", "verify", "--key", trusted, *stranger, status=2)


def test_who_may_be_an_approver_is_checked(config: Path, tmp_path: Path) -> None:
    status, out = alone("log", "create-approver-key", str(tmp_path / "p"), "--name", "Sari Dewi")
    assert (status, "small letters" in out) == (1, True)
    assert not (tmp_path / "p").exists()
    status, out = alone("log", "create-approver-key", str(tmp_path / "p"), "--name", "lpsk/one")
    assert status == 0
    again, said = alone("log", "create-approver-key", str(tmp_path / "p"), "--name", "lpsk/one")
    assert (again, "No key can be made" in said) == (1, True)
    (tmp_path / "rubbish").write_text("rubbish")
    for path in ("rubbish", "nowhere"):
        status, said = alone(
            "log", "approve-epoch", str(tmp_path / path), "--key", str(tmp_path / "p"),
            "--name", "lpsk/one", "--yes",
        )  # fmt: skip
        assert status == 1
        assert len(said.strip().splitlines()) == 1
    twice = VerifierKey.parse(out.strip())
    other = VerifierKey("lpsk/two", twice.kind, twice.public)
    for listed in ((twice, twice), (twice, other)):
        set_to(config, "log_epoch_approvers", str([str(key) for key in listed]))
        assert "stands twice" in refused(config, "members", "disable", "komnas-ham", SARI)
    set_to(config, "log_epoch_approvers", '["rubbish"]')
    assert "malformed" in refused(config, "members", "disable", "komnas-ham", SARI)


def test_a_signer_that_cannot_append_says_what_it_lacks(config: Path, tmp_path: Path) -> None:
    kept = ("log_origin", "log_signing_key", "log_state", "log_url")
    lines = [line for line in config.read_text().splitlines() if line.startswith(kept)]
    signer = tmp_path / "signer.toml"
    signer.write_text("\n".join(lines).replace("log_url", "log_signer_url"))

    assert "set `log_url`" in refused(signer, "log", "change-key")
    assert not list(config.parent.glob("*.next"))
