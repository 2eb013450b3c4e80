"""A real log for what appends to one."""

from tests.accesslog.conftest import log, reader

__all__ = ["log", "reader"]
