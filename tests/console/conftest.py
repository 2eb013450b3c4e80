"""A small installation as of now, since authlib asks no other clock, and a console on a copy."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from api.crypto.key_file import Cost
from api.demo.install import Databases, install
from api.demo.synthetic import synthetic
from tests.console.browsing import Browser, Site, site
from tests.world import Template


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("console") / "perisai"
    records = synthetic(7, datetime.now(UTC).date(), 8)
    asyncio.run(
        install(
            folder,
            Databases.embedded(folder),
            records,
            clock=lambda: datetime.now(UTC),
            progress=lambda _count: None,
            cost=Cost(8, 1, 1),
        )
    )
    return Template("sqlite", folder, records, None, None)


@pytest.fixture(scope="session")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with files where npm puts those of GraphiQL."""
    folder = tmp_path_factory.mktemp("npm")
    for path in (
        "react/umd/react.production.min.js",
        "react-dom/umd/react-dom.production.min.js",
        "graphiql/graphiql.min.js",
        "graphiql/graphiql.min.css",
    ):
        file = folder / "node_modules" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"/* {path} */")
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def console(
    installed: Template, npm: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """Give one console for all tests; its clock only goes on, by hours at the most."""
    async with site(installed, tmp_path_factory.mktemp("site") / "perisai", graphiql=npm) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def sari(console: Site) -> Browser:
    """Give the browser of Sari, who is signed in."""
    browser = console.browser()
    await browser.sign_in("sari")
    return browser
