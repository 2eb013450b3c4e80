"""A process that dies leaves nothing of what it held: no core dump, no text of an error."""

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, environment

SECRET = "Mochammad Joesoef Hidayat"

#: How a process dies -> what it runs, after it has said `leave_nothing`.
DEATHS = {
    "an error at the top": "raise RuntimeError(secret) from ValueError(secret)",
    "an error in a thread": (
        "import threading\n"
        "def fail(): raise KeyError(secret)\n"
        "t = threading.Thread(target=fail); t.start(); t.join()"
    ),
    "an error that cannot be raised": (
        "class Lost:\n    def __del__(self): raise OSError(secret)\nlost = Lost(); del lost"
    ),
    "an abort with a trace": "import faulthandler, os\nfaulthandler.enable()\nos.abort()",
    "a bad address with a trace": (
        "import ctypes, faulthandler\nfaulthandler.enable()\nctypes.string_at(0)"
    ),
}
QUIET = "from api.process import leave_nothing\nleave_nothing()\n"


@pytest.fixture(autouse=True)
def dumps_allowed() -> Iterator[None]:
    """Let this process and its children write core dumps as large as the system lets them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"secret = {SECRET!r}\n{program}"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("death", DEATHS)
def test_a_process_that_dies_says_no_value_and_leaves_no_memory(death: str, tmp_path: Path) -> None:
    done = run(QUIET + DEATHS[death], tmp_path)

    assert done.stderr
    assert not any(word in done.stderr + done.stdout for word in SECRET.split())
    assert list(tmp_path.iterdir()) == []
    if "trace" in death:
        assert done.returncode in (-signal.SIGABRT, -signal.SIGSEGV)
        assert "Fatal Python error" in done.stderr
    else:
        assert "perisai: unexpected" in done.stderr
        assert "in __main__, line" in done.stderr


def test_otherwise_it_would(tmp_path: Path) -> None:
    """The same deaths without it: what the test above looks for is there."""
    assert SECRET in run(DEATHS["an error at the top"], tmp_path).stderr
    assert SECRET in run(DEATHS["an error in a thread"], tmp_path).stderr
    assert SECRET in run(DEATHS["an error that cannot be raised"], tmp_path).stderr
    here = not set("|/") & set(Path("/proc/sys/kernel/core_pattern").read_text())
    if here and resource.getrlimit(resource.RLIMIT_CORE)[0] != 0:
        run(DEATHS["an abort with a trace"], tmp_path)
        [core] = tmp_path.iterdir()
        assert SECRET.encode() in core.read_bytes()


def test_neither_a_limit_nor_the_kernel_lets_a_dump_be_made(tmp_path: Path) -> None:
    asked = (
        "import ctypes, resource\n"
        "print(ctypes.CDLL(None).prctl(3), resource.getrlimit(resource.RLIMIT_CORE))"
    )
    assert run(asked, tmp_path).stdout.startswith("1 (")
    assert run(QUIET + asked, tmp_path).stdout == "0 (0, 0)\n"


def test_a_warning_and_an_error_that_nobody_awaited_are_named_and_not_quoted(
    tmp_path: Path,
) -> None:
    """What libraries and the event loop print, in a process that writes the service's log."""
    program = (
        "import asyncio, gc, logging, sys, warnings\n"
        "from api.logs import configure_logs\n"
        "configure_logs(sys.stderr)\n"
        "warnings.warn(secret)\n"
        "logging.getLogger('some.library').error('given %s', secret)\n"
        "async def fail(): raise RuntimeError(secret)\n"
        "async def main():\n"
        "    task = asyncio.create_task(fail())\n"
        "    await asyncio.sleep(0)\n"
        "    await asyncio.sleep(0)\n"
        "    del task\n"
        "    gc.collect()\n"
        "asyncio.run(main())"
    )
    lines = [json.loads(line) for line in run(program, tmp_path).stderr.splitlines()]

    assert {line["event"] for line in lines} == {"library_warning"}
    assert [line["logger"] for line in lines] == ["py.warnings", "some.library", "asyncio"]
    assert not any(word in str(lines) for word in SECRET.split())


def test_the_entry_of_every_command_says_so() -> None:
    text = (ROOT / "api/cli/main.py").read_text(encoding="utf-8")
    assert text.index("leave_nothing()\n    app()") > 0


def test_what_is_here_when_serving_begins_is_no_garbage_ever(tmp_path: Path) -> None:
    done = run(
        "import gc\nfrom api.process import keep_what_is_here\nkept = [[] for _ in range(1000)]\n"
        "keep_what_is_here()\nprint(gc.get_freeze_count() > 1000, len(gc.get_objects()) < 1000)",
        tmp_path,
    )

    assert done.stdout == "True True\n"


def test_a_page_under_way_is_not_looked_through_for_garbage(tmp_path: Path) -> None:
    done = run(
        "import gc\nfrom api.process import keep_what_is_here\nkeep_what_is_here()\n"
        "looks = []\ngc.callbacks.append(lambda *_: looks.append(1))\n"
        "page = [[] for _ in range(8_000)]\nprint(len(looks))",
        tmp_path,
    )

    assert done.stdout == "0\n"


def test_what_requests_leave_in_circles_is_found_all_the_same(tmp_path: Path) -> None:
    done = run(
        "import gc, weakref\nfrom api.process import keep_what_is_here\nkeep_what_is_here()\n"
        "class Left:\n    def __init__(self): self.me = self\n"
        "first = weakref.ref(Left())\nfor _ in range(30_000): Left()\nprint(first())",
        tmp_path,
    )

    assert done.stdout == "None\n"
