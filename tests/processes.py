"""Real processes for tests: `perisai ...` started, watched, and ended by its own id."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import httpx

ROOT = Path(__file__).parents[1]

#: The same interpreter as the tests', so that no installed script is needed.
PERISAI = (sys.executable, "-m", "api.cli.main")

#: Seconds that any process of a test may take before it is ended.
LIMIT = 60.0


def environment(config: Path | None = None) -> dict[str, str]:
    """Give an environment without settings of ours, but *config*."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("PERISAI_")}
    kept["PYTHONPATH"] = str(ROOT)
    kept["COLUMNS"] = "200"
    # A test asks as often as it likes, with few members, and waits for no refusal.
    kept["PERISAI_REQUESTS_AT_ONCE"] = "100"
    kept["PERISAI_REFUSAL_SECONDS"] = "0"
    if config is not None:
        kept["PERISAI_CONFIG"] = str(config)
    return kept


def free_port() -> int:
    """Give a port on loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def perisai(
    *arguments: str,
    config: Path | None = None,
    cwd: Path | None = None,
    seconds: float = LIMIT,
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, which takes at most so many *seconds*."""
    return subprocess.run(
        [*PERISAI, *arguments],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env=environment(config),
        cwd=cwd or ROOT,
    )


def _ready(port: int) -> bool:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK


def _interruptible() -> None:
    """Take interrupts again: a worker of the tests ignores them, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Running:
    """A `perisai` that serves until the block ends; its output goes to a file."""

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        config: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.output = folder / "output"
        self._arguments = arguments
        self._folder = folder
        self._environment = {**environment(config), **(more or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Running":
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*PERISAI, *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=self._environment,
                # Away from the terminal: an interrupt of the tests is not one of this.
                start_new_session=True,
                preexec_fn=_interruptible,
            )
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.end()

    def text(self) -> str:
        """Give what was written so far."""
        return self.output.read_text(errors="replace")

    def wait_for(self, words: str, seconds: float = LIMIT) -> float:
        """Wait until *words* are written; give how long that took."""
        start = time.monotonic()
        assert self.process is not None
        while words not in self.text():
            assert self.process.poll() is None, f"it ended:\n{self.text()}"
            assert time.monotonic() - start < seconds, f"not in time:\n{self.text()}"
            time.sleep(0.02)  # another process has no other way to tell us
        return time.monotonic() - start

    def wait_until_ready(self, port: int) -> None:
        """Wait until the service at *port* says that it is ready."""
        start = time.monotonic()
        assert self.process is not None
        while not _ready(port):
            assert self.process.poll() is None, f"it ended:\n{self.text()}"
            assert time.monotonic() - start < LIMIT, f"not in time:\n{self.text()}"
            time.sleep(0.05)  # another process has no other way to tell us

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        """End the process that was started, and give its status."""
        process = self.process
        assert process is not None
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        return process.wait()
