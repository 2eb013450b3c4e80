"""Where a part fails the console closes: no page without its events, no session in doubt."""

from typing import Any

import pytest

from api.casework.house import House
from api.demo.synthetic import RATNA, TUTI
from api.errors import StoreUnavailable
from api.store import used_proofs
from tests.console.browsing import Browser, Site, code_of
from tests.inside import FailingLedger, exchanged

pytestmark = pytest.mark.asyncio(loop_scope="session")

SESSION = "perisai-session"


class Full(FailingLedger):
    """A log that says it is well until it takes no more."""

    async def health(self) -> None:
        pass


@pytest.mark.parametrize(
    "after", [pytest.param(0, marks=pytest.mark.long), pytest.param(1, marks=pytest.mark.long), 2]
)
async def test_the_officers_page_shows_nothing_if_one_look_is_not_in_the_log(
    console: Site, after: int
) -> None:
    def full(house: House) -> dict[str, Any]:
        return {"ledger": Full(house.ledger, after)}

    officer = console.browser()
    await officer.sign_in(TUTI)
    headers = {"cookie": f"{SESSION}={officer.http.cookies[SESSION]}", "sec-fetch-site": "none"}
    async with exchanged(console.world, full) as inside:
        answer = await inside.world.client.get("/console/oversight", headers=headers)

    assert (answer.status_code, code_of(answer)) == (503, "LOG_UNAVAILABLE")
    assert "<table" not in answer.text


async def test_a_session_of_which_it_is_not_known_whether_it_goes_on_is_none(
    sari: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_given: object) -> bool:
        raise StoreUnavailable

    for name in ("was_used", "use"):
        monkeypatch.setattr(used_proofs, name, failing)

    assert code_of(await sari.ask()) == "STORE_UNAVAILABLE"
    assert code_of(await sari.get("/console")) == "STORE_UNAVAILABLE"
    # Who could not be signed out is told so, and can try again.
    out = await sari.sign_out()
    assert (out.status_code, code_of(out)) == (503, "STORE_UNAVAILABLE")
    back = await sari.picks("sari")
    assert code_of(await sari.get(back)) == "STORE_UNAVAILABLE"
    monkeypatch.undo()
    assert (await sari.ask()).status_code == 200


async def test_a_partner_with_a_token_has_no_console_either(console: Site) -> None:
    """Not even with a token that is bound to no key, which the partners' face refuses."""
    token = console.issuer.mint("lbh-nusantara", RATNA)
    headers = {"authorization": f"Bearer {token}", "cookie": f"{SESSION}=x"}

    answer = await console.browser().http.get("/console", headers=headers)

    assert (answer.status_code, code_of(answer)) == (403, "NOT_FOR_THIS_FACE")
