"""Every way in which the server can fail is one error, in time, with no word of it in it."""

import asyncio
import pickle
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from api.crypto.key_service import KeyKind
from api.crypto.openbao_key_service import OpenBaoKeyService
from api.crypto.transit import Transit
from api.errors import KeysUnavailable, PerisaiError, RefusesToStart
from tests.crypto.openbao_services import make_keys, service_with, token_for
from tests.openbao import OpenBaoServer, token_file

KEY = b"k" * 32
TOKEN = "s.notInAnyMessage"

#: Seconds in which a server that hangs is given up; of one that answers much more is
#: waited for, since the machine may be busy.
TIME_OUT = 0.5
PATIENT = 20.0

#: Seconds in which every failure must be told: a part of PATIENT.
SOON = 10.0


@pytest.fixture(scope="module")
def own() -> Iterator[OpenBaoServer]:
    """Run a server that the tests here may end, seal and stop."""
    server = OpenBaoServer(lasting=True)
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def serving(
    server: OpenBaoServer, folder: Path
) -> AsyncIterator[tuple[OpenBaoKeyService, OpenBaoKeyService]]:
    """Serve lpsk with keys of its own and the token of a service: patiently, and not."""
    prefix = server.new_prefix()
    await make_keys(server, folder, prefix, "lpsk")
    file = token_file(folder, token_for(server, prefix, "lpsk"))
    services = [
        OpenBaoKeyService(Transit(server.address, file, time_out=seconds), ["lpsk"], prefix=prefix)
        for seconds in (PATIENT, TIME_OUT)
    ]
    yield services[0], services[1]
    for service in services:
        await service.close()


async def failure(service: OpenBaoKeyService, items: list[tuple[bytes, int, bytes]]) -> str:
    """Ask for *items* in vain; give why, as the service's log tells it."""
    start = time.monotonic()
    with (
        structlog.testing.capture_logs() as lines,
        pytest.raises(KeysUnavailable) as error,
    ):
        await service.unwrap_many("lpsk", items)
    assert time.monotonic() - start < SOON
    assert_says_nothing(error.value)
    # A first call renews the token before; where it may not, that is a line too.
    [line] = [line for line in lines if line["event"] != "key_token_not_renewed"]
    assert line.keys() == {"event", "log_level", "why", "status"}
    assert line["event"] == "key_service_failed"
    return str(line["why"])


def assert_says_nothing(error: PerisaiError) -> None:
    """Claim that neither the error nor what hangs on it has a text of others."""
    assert str(error) == type(error).message
    assert error.__cause__ is None
    assert error.__context__ is None


async def test_down_and_up_again_works_without_a_new_start(
    own: OpenBaoServer, tmp_path: Path
) -> None:
    async with serving(own, tmp_path) as (service, impatient):
        [wrap] = await service.wrap_many("lpsk", [(b"c", KEY)])
        items = [(b"c", *wrap)]

        own.seal()
        why = [await failure(service, items)]
        own.unseal()
        assert await service.unwrap_many("lpsk", items) == [KEY]
        own.pause()
        try:
            why.append(await failure(impatient, items))
        finally:
            own.go_on()
        assert await service.unwrap_many("lpsk", items) == [KEY]
        own.kill()
        why.append(await failure(service, items))
        own.restart()
        assert await service.unwrap_many("lpsk", items) == [KEY]
        await service.health()

        assert why == ["sealed", "time_out", "unreachable"]


async def test_a_replaced_token_is_read_when_the_old_one_is_refused(
    bao: OpenBaoServer, tmp_path: Path
) -> None:
    prefix = bao.new_prefix()
    await make_keys(bao, tmp_path, prefix, "lpsk")
    token = token_for(bao, prefix, "lpsk")
    service = service_with(bao, tmp_path / "s", token, prefix, "lpsk")
    [wrap] = await service.wrap_many("lpsk", [(b"c", KEY)])
    items = [(b"c", *wrap)]

    bao.admin("POST", "auth/token/revoke", {"token": token})
    assert await failure(service, items) == "forbidden"
    token_file(tmp_path / "s", token_for(bao, prefix, "lpsk"))
    together = [service.unwrap_many("lpsk", items) for _ in range(5)]

    assert await asyncio.gather(*together) == [[KEY]] * 5
    await service.close()


async def test_a_token_file_that_others_may_read_meanwhile_is_not_used(
    bao: OpenBaoServer, tmp_path: Path
) -> None:
    prefix = bao.new_prefix()
    await make_keys(bao, tmp_path, prefix, "lpsk")
    token = token_for(bao, prefix, "lpsk")
    service = service_with(bao, tmp_path / "s", token, prefix, "lpsk")
    await service.refresh()

    bao.admin("POST", "auth/token/revoke", {"token": token})
    token_file(tmp_path / "s", token_for(bao, prefix, "lpsk")).chmod(0o644)

    with structlog.testing.capture_logs() as lines, pytest.raises(KeysUnavailable):
        await service.versions("lpsk", KeyKind.KEK)
    assert [line["event"] for line in lines] == ["key_token_unreadable", "key_service_failed"]
    await service.close()


class Moving:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def last_renewal(server: OpenBaoServer, token: str) -> Any:
    return server.admin("POST", "auth/token/lookup", {"token": token})["data"].get("last_renewal")


async def test_a_token_is_renewed_at_half_its_life_and_at_each_refresh(
    bao: OpenBaoServer, tmp_path: Path
) -> None:
    prefix, clock = bao.new_prefix(), Moving()
    await make_keys(bao, tmp_path, prefix, "lpsk")
    token = token_for(bao, prefix, "lpsk")  # of one hour
    transit = Transit(bao.address, token_file(tmp_path, token), monotonic=clock, time_out=PATIENT)
    service = OpenBaoKeyService(transit, ["lpsk"], prefix=prefix)
    renewals = []

    for seconds, ask in [
        (0, service.health),
        (1799, service.health),
        (1, service.health),
        (0, service.refresh),
    ]:
        clock.now += seconds
        await ask()
        renewals.append(last_renewal(bao, token))

    first, still, half, refreshed = renewals
    assert first is not None
    assert still == first
    assert len({first, half, refreshed}) == 3
    await service.close()


@pytest.mark.parametrize("kind", ["root", "without the right to renew"])
async def test_a_token_that_cannot_be_renewed_serves(
    bao: OpenBaoServer, tmp_path: Path, kind: str
) -> None:
    prefix = bao.new_prefix()
    await make_keys(bao, tmp_path, prefix, "lpsk")
    token = bao.root
    if kind != "root":
        text = f'path "transit/+/{prefix}*" {{ capabilities = ["read", "update"] }}'
        token = bao.token(bao.policy(f"{prefix}all", text), no_default_policy=True)
    service = service_with(bao, tmp_path / "s", token, prefix, "lpsk")

    with structlog.testing.capture_logs() as lines:
        await service.refresh()
        await service.health()

    assert len(lines) == (0 if kind == "root" else 1)
    await service.close()


async def test_a_mount_that_is_not_there_is_unavailable(bao: OpenBaoServer, tmp_path: Path) -> None:
    transit = Transit(
        bao.address, token_file(tmp_path, bao.root), mount="elsewhere", time_out=PATIENT
    )
    service = OpenBaoKeyService(transit, ["lpsk"], prefix="perisai-")
    with pytest.raises(KeysUnavailable):
        await service.health()
    assert await failure(service, [(b"c", 1, b"\x02" + bytes(60))]) == "refused"
    await service.close()


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """Answer every request with the same bytes, and close."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        try:
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except OSError:
            pass  # The client left first: the answer was too long.

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.close()
    await server.wait_closed()


def http(status: str, body: str, more: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{more}\r\n{body}"
    ).encode()


def results(*items: str) -> str:
    return f'{{"data": {{"batch_results": [{", ".join(items)}]}}}}'


MESSAGE = f"secret {TOKEN}"
SAYING = f'{{"errors": ["{MESSAGE}"]}}'
GOOD = '{"plaintext": "a2s="}'


@pytest.mark.parametrize(
    ("why", "answer"),
    [
        ("unreachable", b""),
        ("unreachable", b"no HTTP at all\r\n\r\n"),
        ("unreachable", http("200 OK", "{}").replace(b": 2", b": 9")),
        ("malformed", http("200 OK", MESSAGE)),
        ("malformed", http("200 OK", "[1]")),
        ("malformed", http("200 OK", "[" * 100_000)),
        ("malformed", http("200 OK", " " * (1 << 20) + "{}")),
        ("malformed", http("200 OK", "zz", "content-encoding: gzip\r\n")),
        ("refused", http("200 OK", "{}")),
        ("refused", http("200 OK", '{"data": {"batch_results": 1}}')),
        ("refused", http("200 OK", results())),
        ("refused", http("200 OK", results(GOOD, GOOD))),
        ("refused", http("201 Created", results(GOOD))),
        ("refused", http("307 Temporary Redirect", "{}", "location: http://127.0.0.1:1/\r\n")),
        ("refused", http("400 Bad Request", '{"errors": ["cipher: message authentication"]}')),
        ("refused", http("404 Not Found", SAYING)),
        ("refused", http("500 Internal", SAYING)),
        ("forbidden", http("403 Forbidden", SAYING)),
        ("sealed", http("503 Unavailable", SAYING)),
    ],
)
async def test_an_answer_that_is_none_is_unavailable_and_shows_nothing(
    tmp_path: Path, why: str, answer: bytes
) -> None:
    async with answering(answer) as address:
        transit = Transit(address, token_file(tmp_path, TOKEN), time_out=PATIENT)
        service = OpenBaoKeyService(transit, ["lpsk"], prefix="perisai-")

        assert await failure(service, [(b"c", 1, b"\x02" + bytes(60))]) == why

        await service.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bao.invalid")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    paths[1].write_bytes(pem)
    return paths


async def test_a_server_is_asked_only_if_its_certificate_holds(
    certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    server = OpenBaoServer(certificate=certificate)
    server.start()
    try:
        file = token_file(tmp_path, server.root)
        trusting = Transit(server.address, file, ca_file=certificate[0], time_out=PATIENT)
        service = OpenBaoKeyService(trusting, ["lpsk"], prefix="perisai-")
        assert await service.create() == ["lpsk"]
        [wrap] = await service.wrap_many("lpsk", [(b"c", KEY)])
        assert await service.unwrap_many("lpsk", [(b"c", *wrap)]) == [KEY]
        await service.close()

        elsewhere = server.address.replace("127.0.0.1", "localhost")
        for address, ca_file in [(server.address, None), (elsewhere, certificate[0])]:
            doubting = Transit(address, file, ca_file=ca_file, time_out=PATIENT)
            service = OpenBaoKeyService(doubting, ["lpsk"], prefix="perisai-")
            assert await failure(service, [(b"c", *wrap)]) == "unreachable"
            await service.close()
    finally:
        server.stop()


@pytest.mark.parametrize(
    "address",
    [
        "http://bao.example:8200",
        "http://10.0.0.1:8200",
        "http://127.0.0.1.example:8200",
        "http://localhost.example",
        "http://user@127.0.0.1:8200",
        "https://user:password@bao.example",
        "https://bao.example/v1",
        "https://bao.example?x=1",
        "https://",
        "https://bao.example:port",
        "ftp://127.0.0.1",
        "127.0.0.1:8200",
        "/run/bao.sock",
        "",
    ],
)
def test_an_address_on_which_others_could_listen_is_refused_and_not_shown(
    tmp_path: Path, address: str
) -> None:
    with pytest.raises(RefusesToStart, match="openbao_address") as error:
        Transit(address, token_file(tmp_path, TOKEN))
    assert str(error.value) in (
        "`openbao_address` is not an address like https://bao.example:8200.",
        "`openbao_address` is http to another machine: use https.",
    )


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8200",
        "http://localhost:8200/",
        "http://[::1]:8200",
        "https://bao.example",
        "https://10.0.0.1:8200/",
    ],
)
async def test_loopback_and_https_are_taken(tmp_path: Path, address: str) -> None:
    await Transit(address, token_file(tmp_path, TOKEN)).close()


@pytest.mark.parametrize("mount", ["", "/transit", "../sys", "a//b", "a b", "a?b", "transit/"])
def test_a_mount_that_is_no_path_is_refused(tmp_path: Path, mount: str) -> None:
    with pytest.raises(RefusesToStart, match="mount"):
        Transit("https://bao.example", token_file(tmp_path, TOKEN), mount=mount)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_token_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = token_file(tmp_path, TOKEN)
    path.chmod(mode)
    with pytest.raises(RefusesToStart, match="chmod 600"):
        Transit("https://bao.example", path)


@pytest.mark.parametrize("token", ["", "  ", "two tokens", "a\nb", "tök", "a" * 5000])
def test_a_file_that_holds_no_token_is_refused_and_not_shown(tmp_path: Path, token: str) -> None:
    with pytest.raises(RefusesToStart, match="one token") as error:
        Transit("https://bao.example", token_file(tmp_path, token))
    assert not token.strip() or token not in str(error.value)


def test_files_that_are_missing_or_no_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusesToStart, match="token file"):
        Transit("https://bao.example", tmp_path / "nothing")
    with pytest.raises(RefusesToStart, match="token file"):
        Transit("https://bao.example", tmp_path)
    for ca_file in (tmp_path / "nothing", token_file(tmp_path, TOKEN)):
        with pytest.raises(RefusesToStart, match="CA file"):
            Transit("https://bao.example", tmp_path / "token", ca_file=ca_file)


async def test_a_door_to_transit_shows_no_token(tmp_path: Path) -> None:
    transit = Transit("https://bao.example", token_file(tmp_path, TOKEN))
    assert repr(transit) == str(transit) == "<transit>"
    with pytest.raises(TypeError):
        pickle.dumps(transit)
    await transit.close()
