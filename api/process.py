"""What holds for a whole process of ours, so that only its entry sets it.

It leaves nothing behind when it dies: a core dump is its memory, with keys and names, and
so may be the text of an error that nobody caught. And it does not look for garbage among
what it keeps for as long as it lives.
"""

import asyncio
import ctypes
import gc
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from api.errors import RefusesToStart

#: Objects that may be left before the first look for garbage. A page of 100 case files holds
#: 4,000 until it is answered, which all go by themselves then: at Python's 700 the collector
#: looks through them six times, for a tenth of the request's time, and finds nothing.
_LEFT = 20_000

#: linux/prctl.h
_PR_SET_DUMPABLE = 4


def leave_nothing() -> None:
    """Write no core dump, let no other process of this user look in, and print no value.

    Raises:
        RefusesToStart: the system would not have it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A kernel that hands dumps to a program asks no limit; this it asks. The memory is
    # then closed to debuggers too, root's excepted.
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise RefusesToStart("The system does not let this process forbid dumps of its memory.")
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda lost: _say(lost.exc_type, lost.exc_traceback)
    threading.excepthook = lambda lost: _say(lost.exc_type, lost.exc_traceback)


def keep_what_is_here() -> None:
    """Take what is here by now for no garbage ever: schemas, rules, modules.

    Looking through it again is a pause of a tenth of a second for every caller, each time
    that requests left enough behind. Nor are requests that are under way looked through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_LEFT, *gc.get_threshold()[1:])


@contextmanager
def when_told_to_end(do: Callable[[], None]) -> Iterator[None]:
    """Call *do* in the running loop when a signal says that this process is to end.

    The server then waits until all that it answers is answered, and only after that for what the
    application still has to do: what answers without an end must be ended here. Whatever
    else the signal does it does as before.
    """
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def told(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(do)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in before:
        signal.signal(number, told)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _uncaught(
    kind: type[BaseException], _error: BaseException, trace: TracebackType | None
) -> None:
    _say(kind, trace)


def _say(kind: type[BaseException] | None, trace: TracebackType | None) -> None:
    """Name the kind of an error and where it was raised; its text may hold a value."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "nowhere" if trace is None else trace.tb_frame.f_globals.get("__name__")
    line = 0 if trace is None else trace.tb_lineno
    name = "error" if kind is None else kind.__name__
    sys.stderr.write(f"perisai: unexpected {name} in {module}, line {line}\n")
