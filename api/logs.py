"""The service's own log: JSON lines about the machinery, never about a person.

A line names events, codes, tables and ids of requests. It holds no value of a
record and no text of a foreign error, which could carry one.
"""

import json
import logging
from typing import TextIO

import structlog


def configure_logs(stream: TextIO) -> None:
    """Send structlog and the standard library's warnings to *stream*, as JSON lines."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    # Libraries print what they were given, so only their warnings pass, by name.
    logging.captureWarnings(True)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_NameOnly())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


class _NameOnly(logging.Formatter):
    """Says which library warned, and nothing of what: the text could hold a value."""

    def format(self, record: logging.LogRecord) -> str:
        """Print one JSON line."""
        return json.dumps(
            {"event": "library_warning", "level": record.levelname.lower(), "logger": record.name}
        )
