"""Only a token of a known issuer, for us, in time, signed with its own key, says who asks."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey

from api.errors import NotSignedIn, SignInUnavailable, TokenExpired
from api.identity.tokens import REMEMBERED_MOST, Claims, Scheme, presented

EXP = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)


def part(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_a_good_token_says_who_asks(verifier, issuer):
    claims = await verifier.verify(issuer.sign())

    assert claims == Claims(issuer.url, "komnas-ham", "sari", "token-1", EXP)


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519", "EdDSA", "PS256", "RS256"])
async def test_every_listed_algorithm_verifies(verifier, issuer, algorithm):
    issuer.add(algorithm, "key")
    issuer.publish()

    claims = await verifier.verify(issuer.sign({"alg": algorithm}, kid="key"))

    assert claims.subject == "sari"


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt"])
async def test_the_type_is_compared_without_case(verifier, issuer, kind):
    assert (await verifier.verify(issuer.sign({"typ": kind}))).subject == "sari"


async def test_one_of_several_audiences_may_be_ours(verifier, issuer):
    token = issuer.sign(aud=["https://else.test", "https://perisai.test"])

    assert (await verifier.verify(token)).subject == "sari"


REFUSED_HEADERS = {
    "an id token": {"typ": "JWT"},
    "no type": {"typ": ...},
    "a type that is no text": {"typ": ["at+jwt"]},
    "a logout token": {"typ": "logout+jwt"},
    "no key id": {"kid": ...},
    "a key id that is no text": {"kid": 1},
    "an unknown key id": {"kid": "unknown"},
    "an empty key id": {"kid": ""},
    "a key of its own": {"jwk": ECKey.generate_key("P-256").as_dict(private=False)},
    "an address of keys": {"jku": "https://login.komnas-ham.test/jwks"},
    "an address of certificates": {"x5u": "https://login.komnas-ham.test/x5u"},
    "a certificate": {"x5c": ["MIIB"]},
    "critical parameters": {"crit": ["exp"], "exp": 1},
    "an unencoded payload": {"b64": False, "crit": ["b64"]},
    "an encoded payload that says so": {"b64": True},
    "a parameter that nobody listed": {"perisai": "admin"},
    "a nested type": {"cty": "JWT"},
}


@pytest.mark.parametrize("change", REFUSED_HEADERS.values(), ids=REFUSED_HEADERS)
async def test_a_header_with_anything_else_is_refused(verifier, issuer, change):
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "es"} | change
    token = issuer.sign({k: v for k, v in header.items() if k != "b64"} | {"kid": "es"})
    _, payload, signature = token.split(".")
    head = part({k: v for k, v in header.items() if v is not ...})

    with pytest.raises(NotSignedIn) as refusal:
        await verifier.verify(f"{head}.{payload}.{signature}")
    assert type(refusal.value) is NotSignedIn

    if "b64" not in change and "kid" not in change:  # also when it is really signed so
        with pytest.raises(NotSignedIn):
            await verifier.verify(issuer.sign(change))


NOW = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())

REFUSED_CLAIMS = {
    "no issuer": {"iss": ...},
    "an issuer that is no text": {"iss": ["https://login.komnas-ham.test"]},
    "an unknown issuer": {"iss": "https://evil.test"},
    "an issuer with a slash more": {"iss": "https://login.komnas-ham.test/"},
    "an issuer in capitals": {"iss": "https://LOGIN.komnas-ham.test"},
    "no audience": {"aud": ...},
    "another audience": {"aud": "https://else.test"},
    "no audience in the list": {"aud": []},
    "an audience inside a text": {"aud": "xhttps://perisai.test"},
    "an audience inside a list": {"aud": [["https://perisai.test"]]},
    "an audience that is an object": {"aud": {"https://perisai.test": 1}},
    "no expiry": {"exp": ...},
    "an expiry that is text": {"exp": str(NOW + 600)},
    "an expiry that is true": {"exp": True},
    "an expiry without end": {"exp": 1e300},
    "an expiry of many digits": {"exp": 10**400},
    "an expiry before all time": {"exp": -1},
    "no issue time": {"iat": ...},
    "an issue time to come": {"iat": NOW + 31},
    "an issue time that is text": {"iat": "now"},
    "not yet": {"nbf": NOW + 31},
    "not yet, as text": {"nbf": "soon"},
    "no subject": {"sub": ...},
    "an empty subject": {"sub": ""},
    "a subject that is no text": {"sub": 7},
    "a subject of several lines": {"sub": "sari\nbudi"},
    "a subject without end": {"sub": "s" * 256},
    "no client": {"client_id": ...},
    "no token id": {"jti": ...},
    "an empty token id": {"jti": ""},
}


@pytest.mark.parametrize("change", REFUSED_CLAIMS.values(), ids=REFUSED_CLAIMS)
async def test_a_claim_that_does_not_hold_is_refused(verifier, issuer, change):
    with pytest.raises(NotSignedIn) as refusal:
        await verifier.verify(issuer.sign(**change))

    assert type(refusal.value) is NotSignedIn
    assert refusal.value.__cause__ is None


async def test_keys_of_one_issuer_verify_no_token_of_another(verifier, issuer, other):
    forged = other.sign(kid="other", iss=issuer.url)
    confused = other.sign({"kid": "es"}, kid="other", iss=issuer.url)

    for token in (forged, confused):
        with pytest.raises(NotSignedIn):
            await verifier.verify(token)


async def test_equal_key_ids_of_two_issuers_are_two_keys(make_verifier, issuer, other):
    other.add("ES256", "es")
    other.publish()
    verifier = make_verifier(issuer, other)

    assert (await verifier.verify(other.sign())).organisation == "lpsk"
    with pytest.raises(NotSignedIn):
        await verifier.verify(other.sign(iss=issuer.url))


async def test_no_signature_and_shared_secrets_are_refused(verifier, issuer):
    header, payload, signature = issuer.sign().split(".")
    none = part({"alg": "none", "typ": "at+jwt", "kid": "es"})
    secret = OctKey.import_key(issuer.keys["es"].as_pem(private=False).replace(b"--", b"=="))

    for token in (
        f"{none}.{payload}.",
        f"{none}.{payload}.{signature}",
        f"{header}.{payload}.",
        issuer.sign({"alg": "HS256"}, key=secret),
        issuer.sign({"alg": "nOnE"} | {"alg": "ES256"}, key=ECKey.generate_key("P-256")),
    ):
        with pytest.raises(NotSignedIn):
            await verifier.verify(token)


async def test_a_key_verifies_its_own_algorithm_only(verifier, issuer):
    issuer.add("RS256", "rsa")
    issuer.keys["rsa"] = type(issuer.keys["rsa"]).import_key(
        issuer.keys["rsa"].as_dict(private=True) | {"alg": "PS256"}
    )
    issuer.publish()
    bare = type(issuer.keys["rsa"]).import_key(
        {k: v for k, v in issuer.keys["rsa"].as_dict(private=True).items() if k != "alg"}
    )

    assert (await verifier.verify(issuer.sign({"alg": "PS256"}, kid="rsa"))).subject == "sari"
    _, payload, signature = issuer.sign({"alg": "RS256"}, kid="rsa", key=bare).split(".")
    for algorithm in ("RS256", "RS512", "ES256"):
        head = part({"alg": algorithm, "typ": "at+jwt", "kid": "rsa"})
        with pytest.raises(NotSignedIn):
            await verifier.verify(f"{head}.{payload}.{signature}")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d",
        "a.b.c.d.e",
        "é.b.c",
        "x" * 9000,
        f"{part([])}.{part({})}.AAAA",
        f"{part('alg')}.{part({})}.AAAA",
        f"{part(['alg'])}.{part({})}.AAAA",
        f"{part(7)}.{part({})}.AAAA",
        f"{part({'alg': ['ES256'], 'typ': 'at+jwt', 'kid': 'es'})}.{part({})}.AAAA",
        f"{part({'alg': 'ES256', 'typ': 'at+jwt', 'kid': 'es'})}.{part([1])}.AAAA",
    ],
)
async def test_what_is_no_token_is_refused(verifier, token):
    with pytest.raises(NotSignedIn):
        await verifier.verify(token)


async def test_odd_json_under_a_good_signature_is_refused(verifier, issuer):
    good = json.dumps(issuer.claims())
    for payload in (
        good[:-1] + ', "sub": "budi"}',
        good.replace('"exp": ', '"exp": NaN, "x": '),
        good.replace('"exp": ', '"exp": Infinity, "x": '),
        "[" * 5000 + "]" * 5000,
        "\ufeff" + good,
        "null",
        "",
    ):
        with pytest.raises(NotSignedIn):
            await verifier.verify(issuer.sign(payload=payload.encode()))


async def test_a_token_ends_after_its_expiry_and_the_leeway(verifier, issuer, clock):
    token = issuer.sign()

    clock.now = EXP + timedelta(seconds=29)
    assert (await verifier.verify(token)).subject == "sari"

    clock.now = EXP + timedelta(seconds=30)
    for _ in range(2):
        with pytest.raises(TokenExpired):
            await verifier.verify(token)


async def test_an_expired_token_that_was_forged_is_not_called_expired(verifier, issuer):
    forged = issuer.sign(exp=NOW - 600, key=ECKey.generate_key("P-256"))

    with pytest.raises(NotSignedIn) as refusal:
        await verifier.verify(forged)
    assert type(refusal.value) is NotSignedIn


async def test_a_verified_token_is_remembered(verifier, issuer, clock):
    token = issuer.sign()
    first = await verifier.verify(token)
    issuer.path.unlink()
    clock.move(minutes=4)

    assert await verifier.verify(token) is first


async def test_a_withdrawn_key_ends_the_tokens_it_signed(verifier, issuer, clock):
    token = issuer.sign(exp=NOW + 10**6)
    await verifier.verify(token)
    del issuer.keys["es"]
    issuer.add("ES256", "next")
    issuer.publish()
    clock.move(minutes=5)

    with pytest.raises(NotSignedIn):
        await verifier.verify(token)


async def test_what_is_remembered_is_bounded(verifier, issuer, monkeypatch):
    monkeypatch.setattr("api.identity.tokens.REMEMBERED_MOST", 3)
    for number in range(5):
        await verifier.verify(issuer.sign(jti=f"token-{number}"))

    assert len(verifier._remembered) == 3
    assert REMEMBERED_MOST == 4096


async def test_no_keys_at_all_is_our_fault_and_closes(verifier, issuer):
    issuer.path.unlink()

    with pytest.raises(SignInUnavailable):
        await verifier.verify(issuer.sign())


async def test_two_issuers_of_one_address_are_refused(make_verifier, issuer):
    with pytest.raises(ValueError, match="same address"):
        make_verifier(issuer, issuer)


async def test_claims_do_not_show_who_asks(verifier, issuer):
    claims = await verifier.verify(issuer.sign())

    assert "sari" not in f"{claims!r} {claims}"
    assert "token-1" not in f"{claims!r} {claims}"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_change_of_a_token_ends_it(verifier, issuer, data):
    token = issuer.sign()
    at = data.draw(st.integers(0, len(token) - 1))
    new = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = token[:at] + new + token[at + 1 :]
    if changed == token:
        return

    with pytest.raises(NotSignedIn):
        await verifier.verify(changed)


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("form", ["{} abc.def.ghi", "{}  abc.def.ghi"])
@pytest.mark.parametrize("written", [str.lower, str.upper, str.title])
def test_the_scheme_is_compared_without_case(scheme, form, written):
    shown = presented([form.format(written(scheme.value))])

    assert (shown.scheme, shown.token) == (scheme, "abc.def.ghi")
    assert "abc" not in repr(shown)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        ["Bearer"],
        ["Bearer "],
        ["abc.def.ghi"],
        ["Basic c2FyaTpzYXJp"],
        ["DPoP"],
        ["DPoPabc.def.ghi"],
        ["Bearer a b"],
        ["Bearer a,Bearer b"],
        ["Bearer é"],
        ["Bearer a\n"],
        ["Bearer a", "Bearer b"],
        ["Bearer a", "DPoP a"],
    ],
)
def test_anything_but_one_token_is_not_signed_in(values):
    with pytest.raises(NotSignedIn):
        presented(values)
