"""Starts `program` for one piece of work: a process that knows nothing of this one."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

_PROGRAM: Final = str(Path(__file__).with_name("program.py"))

#: Seconds of waiting; a paper of ten pages takes less than one.
_SECONDS: Final = 60


def done_apart(work: Literal["paper", "text", "packed"], given: bytes) -> bytes | None:
    """Let a process do *work* with *given*, and wait for it; None: it could not.

    It believes the process nothing but bytes, and never says why it failed.
    """
    # Nothing of what this process knows goes along but where its modules are. The threads
    # that a machine has are for its other requests.
    known = {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}
    known["RAYON_NUM_THREADS"] = "1"
    # An error of it holds what was sent and given: it goes no further than here.
    with suppress(subprocess.SubprocessError, OSError):
        # Our own program, without an argument: every account of the machine reads these.
        return subprocess.run(  # noqa: S603
            [sys.executable, "-B", "-P", _PROGRAM],
            input=json.dumps(work).encode() + b"\n" + given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # It may show values.
            env=known,
            timeout=_SECONDS,
            check=True,
        ).stdout
    return None
