"""Worlds of a module: `still` for tests that only look, `fresh` for those that change it.

A module that uses them runs in one event loop:

    pytestmark = pytest.mark.asyncio(loop_scope="module")
    world, fresh = sharing.still, sharing.fresh

A world takes 0.2 s to open, several times what most of these tests take.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import NOON
from tests.world import Clock, Template, World, opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def still(
    template: Template, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Give the world of the module; whoever changes it or moves its clock takes `fresh`."""
    folder = tmp_path_factory.mktemp("still") / "perisai"
    async with opened(template, folder, Clock(NOON)) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(template: Template, tmp_path: Path) -> AsyncIterator[World]:
    """Give a world of the test's own, in the loop of the module."""
    async with opened(template, tmp_path / "perisai", Clock(NOON)) as world:
        yield world
