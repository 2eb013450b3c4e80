"""Signatures of webhooks are those of Standard Webhooks, and the secret shows nothing."""

import base64

import pytest

from api.crypto.webhook_signatures import WebhookSecret
from api.errors import RefusesToStart

#: From the documentation of Svix, the first author of the specification ("Verifying manually").
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, SECONDS, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_example_has_the_published_signature() -> None:
    assert WebhookSecret(SECRET).headers(MESSAGE, SECONDS, BODY) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": str(SECONDS),
        "webhook-signature": SIGNATURE,
    }


@pytest.mark.parametrize(
    ("message", "seconds", "body"),
    [("msg_other", SECONDS, BODY), (MESSAGE, SECONDS + 1, BODY), (MESSAGE, SECONDS, BODY + b" ")],
)
def test_another_id_moment_or_body_has_another_signature(
    message: str, seconds: int, body: bytes
) -> None:
    signed = WebhookSecret(SECRET).headers(message, seconds, body)
    assert signed["webhook-signature"] != SIGNATURE


def written(size: int) -> str:
    return f"whsec_{base64.b64encode(bytes(size)).decode()}"


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_has_24_to_64_bytes(size: int) -> None:
    assert repr(WebhookSecret(written(size))) == "<webhook secret>"


@pytest.mark.parametrize(
    "text", ["", "whsec_", written(23), written(65), SECRET.removeprefix("whsec_"), SECRET + "é"]
)
def test_what_is_no_secret_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(RefusesToStart) as refused:
        WebhookSecret(text)
    assert len(text) < 10 or text not in str(refused.value)
