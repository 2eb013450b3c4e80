"""Addresses are equal when RFC 3986 says so, and what is no address of a service is none.

What proofs are refused, and for what, is in the table of tokens.
"""

import pytest

from api.errors import RefusesToStart
from api.identity.dpop import normal_address
from api.identity.sign_in import Door, SignIn

ADDRESS = "https://perisai.example.org/graphql/partner"


@pytest.mark.parametrize(
    "same",
    [
        ADDRESS,
        "HTTPS://PERISAI.example.ORG/graphql/partner",
        "https://perisai.example.org:443/graphql/partner",
        "https://perisai.example.org:/graphql/partner",
        "https://perisai.example.org/graphql/partner?query=x",
        "https://perisai.example.org/graphql/partner#part",
        "https://perisai.example.org/graphql/%70artne%72",
    ],
)
def test_an_address_is_compared_as_rfc_3986_says(same: str) -> None:
    assert normal_address(same) == ADDRESS


@pytest.mark.parametrize(
    "other",
    [
        "http://perisai.example.org/graphql/partner",
        "https://perisai.example.org:8443/graphql/partner",
        "https://perisai.example.org./graphql/partner",
        "https://perisai.example.org/graphql/Partner",
        "https://perisai.example.org/graphql/partner/",
        "https://perisai.example.org//graphql/partner",
        "https://perisai.example.org/graphql%2Fpartner",
        "https://perisai.example.org/graphql/partner;a",
        "https://evil.test//perisai.example.org/graphql/partner",
        "https://evil.test/graphql/partner",
    ],
)
def test_another_address_is_another(other: str) -> None:
    assert normal_address(other) not in (ADDRESS, None)


@pytest.mark.parametrize(
    "none",
    [
        None,
        7,
        ["https://perisai.example.org"],
        "",
        "/graphql/partner",
        "//perisai.example.org/graphql/partner",
        "ftp://perisai.example.org/graphql/partner",
        "https:///graphql/partner",
        "https://evil@perisai.example.org/graphql/partner",
        "https://perisai.example.org:x/graphql/partner",
        "https://perisai.example.org:99999/graphql/partner",
        "https://[::1/graphql/partner",
        "https://perisai.example.org/graphql/agency/../partner",
        "https://perisai.example.org/graphql/%2e/partner",
        "https://perisai.example.org/graphql/\tpartner",
        "https://perisai.example.org/graphql/partner ",
        "https://perisai.example.org\\graphql/partner",
        "https://perisai.example.org/graphql/pärtner",
        "\ud800",
    ],
)
def test_what_is_no_address_is_none(none: object) -> None:
    assert normal_address(none) is None


def test_the_escapes_of_an_address_are_written_in_one_way() -> None:
    assert normal_address("http://[::1]:80/%c3%a4%7e") == "http://[::1]/%C3%A4~"
    assert normal_address("http://localhost") == "http://localhost/"


def test_a_service_that_is_reached_nowhere_does_not_start() -> None:
    door = Door(None, None, "https://perisai.example.org:x", None, None)  # type: ignore[arg-type]
    with pytest.raises(RefusesToStart, match="public_url"):
        SignIn(door, "partner", "/graphql/partner")
