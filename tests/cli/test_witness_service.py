"""What a witness answers over HTTP when a request or its own disk is not as it should be."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.witness import MAX_REQUEST
from api.accesslog.witness_state import WitnessState
from api.cli.witness_service import LogSettings, WitnessSettings, create_app
from api.crypto.signatures import SigningKey

LOG = VerifierKey("perisai.example/log", ED25519, SigningKey.from_seed(bytes(32)).public)


@pytest.fixture
def settings(tmp_path: Path) -> WitnessSettings:
    """Make key and state of a new witness."""
    SigningKey.generate().save(tmp_path / "key.pem")
    WitnessState.create(tmp_path / "state")
    return WitnessSettings(
        name="witness.example/w1",
        key=tmp_path / "key.pem",
        state=tmp_path / "state",
        logs=(LogSettings(origin=LOG.name, keys=(str(LOG),)),),
    )


def made(settings: WitnessSettings, log_to: io.StringIO, limit: float = 10.0) -> Starlette:
    return create_app(settings, lambda: datetime(2026, 11, 2, tzinfo=UTC), log_to, limit)


async def post(app: Starlette, body: bytes | AsyncIterator[bytes]) -> httpx.Response:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://witness") as client:
            return await client.post("/add-checkpoint", content=body)


async def _without_end() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 1024


async def _stuck() -> AsyncIterator[bytes]:
    yield b"old 0\n"
    await asyncio.Event().wait()


async def test_a_request_has_a_bounded_size(settings: WitnessSettings) -> None:
    said = io.StringIO()

    assert (await post(made(settings, said), b"x" * MAX_REQUEST)).status_code == 400
    # It is not read to its end, which it does not have.
    assert (await post(made(settings, said), _without_end())).status_code == 413
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [(line["event"], line["status"]) for line in lines] == [
        ("add_checkpoint", 400),
        ("add_checkpoint", 413),
    ]


async def test_a_request_has_a_bounded_time(settings: WitnessSettings) -> None:
    answer = await post(made(settings, io.StringIO(), 0.01), _stuck())

    assert answer.status_code == 408


async def test_a_witness_whose_state_was_exchanged_cosigns_nothing(
    settings: WitnessSettings, tmp_path: Path
) -> None:
    said = io.StringIO()
    app = made(settings, said)
    WitnessState.create(tmp_path / "other")
    (tmp_path / "other").replace(settings.state)
    note = _note()

    answer = await post(app, f"old 0\n\n{note}".encode())

    assert answer.status_code == 503
    assert "Try again" in answer.text
    assert "witness_state_failed" in said.getvalue()


def _note() -> str:
    return Checkpoint(LOG.name, 4, bytes(32)).sign(SigningKey.from_seed(bytes(32)))
