"""Webhooks: each alert is delivered at least once, signed, without a name, whatever fails."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from api.app import create_app, open_house
from api.casework.alert_deliveries import (
    ATTEMPT,
    FIRST_WAIT,
    KEPT,
    deliver,
    deliver_forever,
)
from api.errors import RefusesToStart
from api.webhooks import Webhooks, webhooks_of
from tests.inside import Inside, exchanged
from tests.scenarios import sharing
from tests.scenarios.alerting import look, respond_by, taken_in
from tests.scenarios.asking import led_by
from tests.scenarios.receiving import SECRET, Receiver, receiver
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
still = sharing.still

OWN, OTHER = "komnas-ham", "lpsk"
PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inside(still: World) -> AsyncIterator[Inside]:
    """Give the one world of the module."""
    async with exchanged(still) as inside:
        await look(inside.house)
        yield inside


@pytest_asyncio.fixture(loop_scope="module")
async def there() -> AsyncIterator[Receiver]:
    async with receiver() as one:
        yield one


@asynccontextmanager
async def to(inside: Inside, one: Receiver, time_out: float = 5.0) -> AsyncIterator[Webhooks]:
    """Send to *one* what is of Komnas HAM; what was made before this test is over."""
    await inside.world.run("update alert set delivered_at = made_at")
    webhooks = Webhooks([one.settings(inside.world.folder, OWN)], time_out)
    yield webhooks
    await webhooks.close()


async def alert(inside: Inside, agency: str = OWN, many: int = 1) -> None:
    """Let *many* first responses of *agency* be overdue since another moment, and tell it."""
    for file in led_by(inside.world, agency)[:many]:
        inside.world.clock.move(timedelta(milliseconds=1))
        await respond_by(inside.world, file.id, inside.world.clock())
    assert await look(inside.house) >= many


def checking() -> Any:
    """Give the function that docs/operations.md gives to receivers."""
    section = PAGE.read_text(encoding="utf-8").partition("### Checking a signature")[2]
    [code] = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  # what the page tells others to run
    return names["is_from_perisai"]


async def test_an_alert_is_posted_signed_and_holds_ids_alone(
    inside: Inside, there: Receiver
) -> None:
    world, file = inside.world, led_by(inside.world, OWN)[0]
    async with to(inside, there) as webhooks:
        await alert(inside)
        assert await deliver(inside.house, webhooks) == 1
        assert await deliver(inside.house, webhooks) == 0

    [request] = there.got
    [[made]] = await world.run("select id from alert order by number desc limit 1")
    assert request.path == "POST /alerts HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    said = json.loads(request.body)
    assert said == {
        "type": "deadline.overdue",
        "timestamp": said["timestamp"],
        "data": {
            "alert": request.headers["webhook-id"],
            "caseFile": str(file.id),
            "clock": f"first_response_{file.urgency.value}",
            "kind": "overdue",
            "dueAt": said["data"]["dueAt"],
        },
    }
    assert said["data"]["alert"].replace("-", "") == str(made).replace("-", "")
    text = request.body.decode() + json.dumps(request.headers)
    for person in world.records.defenders:
        assert person.full_name not in text
    assert file.reference not in text


async def test_the_signature_holds_as_the_documentation_checks_it(
    inside: Inside, there: Receiver
) -> None:
    async with to(inside, there) as webhooks:
        await alert(inside)
        await deliver(inside.house, webhooks)
    [request] = there.got
    holds, now = checking(), inside.world.clock().timestamp()

    assert holds(SECRET, request.headers, request.body, now)
    assert not holds(SECRET, request.headers, request.body + b" ", now)
    assert not holds(bytes(32), request.headers, request.body, now)
    assert not holds(SECRET, request.headers, request.body, now + 301)
    for name in ("webhook-id", "webhook-timestamp"):
        changed = {**request.headers, name: request.headers[name][:-1] + "x"}
        assert not holds(SECRET, changed, request.body, now)


async def test_an_agency_is_sent_its_own_alerts_alone(inside: Inside, there: Receiver) -> None:
    async with to(inside, there) as webhooks:
        await alert(inside, OTHER, 2)
        assert await deliver(inside.house, webhooks) == 0
    assert there.got == []


async def test_what_was_not_delivered_when_the_process_died_is_delivered_by_the_next(
    inside: Inside, there: Receiver
) -> None:
    class Killed(BaseException):
        pass

    class Dying:
        agencies = (OWN,)

        async def send(self, *_: Any) -> str | None:
            raise Killed

    world = inside.world
    async with to(inside, there) as webhooks:
        await alert(inside)
        # Between the row and the delivery, and in the midst of the delivery.
        with pytest.raises(Killed):
            await deliver(inside.house, Dying())
        async with open_house(world.settings, world.clock) as restarted:
            assert await look(restarted) == 0
            assert await deliver(restarted, webhooks) == 0  # It may be under way elsewhere.
            world.clock.move(ATTEMPT)
            assert await deliver(restarted, webhooks) == 1
    assert len(there.got) == 1


async def test_two_processes_deliver_each_alert_once_where_nothing_fails(
    inside: Inside, there: Receiver
) -> None:
    async with to(inside, there) as webhooks:
        await alert(inside, many=6)
        async with open_house(inside.world.settings, inside.world.clock) as other:
            counts = await asyncio.gather(deliver(inside.house, webhooks), deliver(other, webhooks))
    assert sum(counts) == 6
    assert len({request.headers["webhook-id"] for request in there.got}) == len(there.got) == 6


async def hangs(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Say nothing until the other side goes."""
    await reader.read()


async def never_ends(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a body for as long as somebody takes it."""
    writer.write(b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
        await writer.drain()


async def no_http(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"what?\r\n\r\n")
    await writer.drain()


@pytest.mark.parametrize(
    ("status", "more", "talk", "why"),
    [
        (500, "", None, "status_500"),
        (410, "", None, "status_410"),
        (302, "location: http://127.0.0.1:1/elsewhere\r\n", None, "status_302"),
        (0, "", no_http, "unreachable"),
        (0, "", hangs, "time_out"),
    ],
)
async def test_what_is_not_taken_is_tried_again_with_the_same_id_and_body(
    inside: Inside,
    there: Receiver,
    status: int,
    more: str,
    talk: Any,
    why: str,
) -> None:
    there.status, there.more, there.talk = status, more, talk
    clock = inside.world.clock
    async with to(inside, there, 0.5) as webhooks:
        await alert(inside, many=2)
        with capture_logs() as told:
            assert await deliver(inside.house, webhooks) == 0
        assert [line for line in told if line["event"] == "webhook_failed"] == [
            {
                "event": "webhook_failed",
                "log_level": "warning",
                "agency": OWN,
                "why": why,
                "attempts": 1,
            }
        ]
        assert len(there.got) == 1  # Nor would it have taken the second one.

        there.status, there.talk = 200, None
        assert await deliver(inside.house, webhooks) == 1
        clock.move(FIRST_WAIT - timedelta(seconds=1))
        assert await deliver(inside.house, webhooks) == 0
        clock.move(timedelta(seconds=1))
        assert await deliver(inside.house, webhooks) == 1
    first, _, again = there.got
    assert (again.body, again.headers["webhook-id"]) == (first.body, first.headers["webhook-id"])
    assert int(again.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 30


async def test_a_body_of_an_answer_is_not_read(inside: Inside, there: Receiver) -> None:
    there.talk = never_ends
    async with to(inside, there) as webhooks, asyncio.timeout(4):
        await alert(inside)
        assert await deliver(inside.house, webhooks) == 1


async def test_what_nobody_took_for_days_is_sent_no_more(inside: Inside, there: Receiver) -> None:
    async with to(inside, there) as webhooks:
        await alert(inside)
        inside.world.clock.move(KEPT)
        assert await deliver(inside.house, webhooks) == 0
    assert there.got == []


async def test_a_receiver_that_is_down_keeps_nothing_else_from_going_on(
    inside: Inside, there: Receiver
) -> None:
    class Broken:
        agencies = (OWN,)

        async def send(self, *_: Any) -> str | None:
            raise RuntimeError

    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            raise asyncio.CancelledError

    async with to(inside, there):
        await alert(inside, many=3)
        with pytest.raises(asyncio.CancelledError), capture_logs() as told:
            await deliver_forever(inside.house, Broken(), pause)
    assert [line["event"] for line in told if "webhooks" in line["event"]] == [
        "webhooks_not_looked_at"
    ] * 2


# -- settings -----------------------------------------------------------------------


async def test_a_webhook_of_nobody_s_alerts_or_without_a_secret_is_refused(
    still: World, there: Receiver
) -> None:
    of_nobody = there.settings(still.folder, "kpk")
    with pytest.raises(RefusesToStart, match="none of the `owners`"):
        async with webhooks_of(still.settings.model_copy(update={"webhooks": (of_nobody,)})):
            pass
    one = there.settings(still.folder, OWN)
    one.secret_file.chmod(0o644)
    with pytest.raises(RefusesToStart, match="open to others"):
        Webhooks([one])
    one.secret_file.unlink()
    with pytest.raises(RefusesToStart, match="cannot be read"):
        Webhooks([one])
    bad = there.settings(still.folder, OWN).model_copy(update={"ca_file": still.folder / "no"})
    with pytest.raises(RefusesToStart, match="CA file"):
        Webhooks([bad])


async def test_a_served_process_makes_alerts_and_delivers_them_by_itself(
    still: World, there: Receiver
) -> None:
    await still.run("update alert set delivered_at = made_at")
    await taken_in(still, OWN)
    settings = still.settings.model_copy(update={"webhooks": (there.settings(still.folder, OWN),)})
    app = create_app(settings, still.clock, settle_every=timedelta(seconds=2))
    async with app.router.lifespan_context(app), asyncio.timeout(20):
        await there.came.wait()
    assert json.loads(there.got[0].body)["type"].startswith("deadline.")
