"""The small store, written once, in the loop of the session; a world whose lines are kept."""

import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from structlog.testing import capture_logs

from tests.conftest import NOON
from tests.scenarios.telling import Tell
from tests.small_store import SmallStore
from tests.small_store_written import small_store
from tests.world import Clock, Template, World, opened

_TOLD = pytest.StashKey[list[str]]()

#: Modules of which the quick suite runs SQLite alone, and the long one PostgreSQL: they try rules
#: and forms, which are the same on both.
_LONG_ON_POSTGRESQL = frozenset(
    {
        "test_alerts",
        "test_attachments",
        "test_break_glass_reviews",
        "test_browser_sessions",
        "test_case_life",
        "test_consents",
        "test_deadlines",
        "test_emergency_protections",
        "test_erasure",
        "test_forged_leads",
        "test_forged_shares",
        "test_idempotency_keys",
        "test_import_spreadsheets",
        "test_imports",
        "test_incidents",
        "test_leads",
        "test_match_alerts",
        "test_matching",
        "test_measures",
        "test_merges",
        "test_overrides",
        "test_plan_steps",
        "test_referral_life",
        "test_referrals",
        "test_release_papers",
        "test_statistics",
        "test_ties",
        "test_timeline",
        "test_token_table",
        "test_triage",
        "test_webhooks",
    }
)


@pytest.hookimpl(tryfirst=True)  # Before anything is chosen by its marks.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in _LONG_ON_POSTGRESQL and "postgresql" in item.nodeid.partition("[")[2]:
            item.add_marker(pytest.mark.long)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SmallStore]:
    """Give the one small store; who writes into its database does it in `restored`."""
    async with small_store(tmp_path_factory.mktemp("small")) as made:
        yield made


@pytest.fixture
def reports() -> Iterator[list[Any]]:
    """Keep what is reported to the operators instead of printing it."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
async def watched(template: Template, tmp_path: Path) -> AsyncIterator[tuple[World, io.StringIO]]:
    """Serve a copy of the installation, and keep every line that is written meanwhile."""
    lines = io.StringIO()
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    level, configured = root.level, structlog.get_config()
    with redirect_stderr(lines), redirect_stdout(lines):
        async with opened(template, tmp_path / "perisai", Clock(NOON)) as world:
            yield world, lines
    root.handlers, root.level = before, level
    structlog.configure(**configured)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Give what says, at the end of the run, how much a test has tried."""
    return request.config.stash.setdefault(_TOLD, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(_TOLD, []):
        terminalreporter.write_line(f"tried: {line}")
