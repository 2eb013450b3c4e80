"""Words of the scenarios about subscriptions: ask for one, and read what it tells."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.event_stream import EVENTS, Open, asked
from tests.world import Answer, World

CHANGED = "subscription ($id: ID!) { caseFileChanged(id: $id) { id revision at } }"


def opened(
    world: World,
    subject: str,
    query: str = CHANGED,
    variables: Mapping[str, Any] | None = None,
    *,
    face: str = "agency",
    purpose: str | None = "protection",
    token: str | None = None,
    accept: str = EVENTS,
) -> AbstractAsyncContextManager[Open]:
    """Ask as *subject*, for the case file that is open to Sari unless another is named."""
    path = f"/graphql/{face}"
    headers = {**world.signed_in(subject, path, token), "accept": accept}
    if purpose is not None:
        headers["perisai-purpose"] = purpose
    given = {"id": str(world.records.open_to_sari)} if variables is None else dict(variables)
    return asked(world.app, path, headers, {"query": query, "variables": given})


async def answered(
    world: World,
    subject: str,
    query: str = CHANGED,
    variables: Mapping[str, Any] | None = None,
    **options: Any,
) -> Answer:
    """Give the first answer alone: what a refusal says, or the first result."""
    async with opened(world, subject, query, variables, **options) as one:
        return await one.first()
