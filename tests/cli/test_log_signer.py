"""`perisai log sign` as it runs: a process with its own settings, beside a running service."""

import signal
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.cli.test_log import invoke
from tests.conftest import NOON
from tests.processes import Running, free_port, perisai
from tests.world import Clock, Template, opened

pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


@pytest.fixture
async def folder(template: Template, tmp_path: Path) -> Path:
    """Give an installation at rest, whose service and signer have settings of their own."""
    async with opened(template, tmp_path / "perisai", Clock(NOON), drop=False) as world:
        key = str(world.log_key)
    folder = tmp_path / "perisai"
    lines = (folder / "perisai.toml").read_text().splitlines()
    mine = ("log_signing_key", "log_state")
    service = [line for line in lines if not line.startswith(mine)]
    signer = [line for line in lines if line.startswith(("log_url", "log_origin", *mine))]
    service = ['log_signer = "process"', f'log_keys = ["{key}"]', *service]
    (folder / "service.toml").write_text("\n".join(service))
    (folder / "signer.toml").write_text("\n".join(signer))
    for name in ("service", "signer", "second"):
        (folder / name).mkdir()
    return folder


def signer_of(folder: Path, name: str = "signer") -> Running:
    return Running("log", "sign", folder=folder / name, config=folder / "signer.toml")


def started(folder: Path) -> tuple[Running, str, Mapping[str, str]]:
    port = free_port()
    more = {"PERISAI_PORT": str(port)}
    service = Running("serve", folder=folder / "service", config=folder / "service.toml", more=more)
    return service, f"http://127.0.0.1:{port}/readyz", more


@pytest.mark.long
def test_a_signer_and_a_service_live_and_end_apart(folder: Path) -> None:
    with signer_of(folder) as signer:
        signer.wait_for("signer_ready")
        second = perisai("log", "sign", config=folder / "signer.toml")
        assert second.returncode == 1
        assert "Another process of this host signs" in second.stderr

        service, address, _ = started(folder)
        with service:
            service.wait_for("Started worker")
            assert httpx.get(address).status_code == 200
            added = perisai(
                "members", "add", "komnas-ham", "new", "--role", "supervisor",
                config=folder / "service.toml",
            )  # fmt: skip
            assert added.returncode == 0, added.stderr
            service.end(signal.SIGTERM)
        assert signer.end(signal.SIGTERM) == 0
        assert "signer_ended" in signer.text()

    # Every event is under the last checkpoint.
    verified = invoke(folder / "service.toml", "log", "verify")
    assert verified[0] == 0, verified[2]
    exported = invoke(folder / "service.toml", "log", "export", str(folder / "export"))
    assert exported[1].split()[1] == verified[1].split()[3]


def test_without_a_signer_a_command_refuses_and_says_whom_to_start(folder: Path) -> None:
    config = folder / "service.toml"
    config.write_text("log_checkpoint_alarm = 0.05\n" + config.read_text())

    refused = invoke(config, "members", "disable", "komnas-ham", "sari")

    assert refused[0] == 1
    assert "perisai log sign" in refused[2]


def test_a_signer_whose_log_was_cut_ends_with_status_2_and_one_line(folder: Path) -> None:
    from tests.cli.test_log import _script

    with signer_of(folder) as signer:
        signer.wait_for("signer_ready")
        _script(folder / "log.sqlite", "delete from head where size > 1")

        assert signer.process is not None
        assert signer.process.wait(20) == 2
    assert "The log does not hold: head 1" in signer.text()

    again = perisai("log", "sign", config=folder / "signer.toml")
    assert again.returncode == 2
    assert len(again.stderr.strip().splitlines()) == 1
    assert "LOG_NOT_CONTINUED" in again.stderr
    assert "were signed for" in again.stderr
