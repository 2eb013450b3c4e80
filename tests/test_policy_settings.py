"""Who may sign a policy, as the settings say it."""

from pathlib import Path

import pytest

from api.casework.policy_bundle import Signers, signer_key
from api.crypto.signatures import SigningKey
from api.errors import RefusesToStart
from api.policy_settings import policy_signers
from api.settings import Settings
from tests.world import Template

ONE, OTHER = (SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2))
A, B = signer_key("a", ONE), signer_key("b", OTHER)

pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


@pytest.fixture
def settings(template: Template) -> Settings:
    return Settings.at(Path(template.folder) / "perisai.toml")


def signers(settings: Settings, authors: list[str], approvers: list[str]) -> Signers:
    chosen = {"policy_authors": tuple(authors), "policy_approvers": tuple(approvers)}
    return policy_signers(settings.model_copy(update=chosen))


def test_without_them_nobody_may(settings: Settings) -> None:
    assert policy_signers(settings) == Signers(settings.log_origin)


def test_one_person_may_be_both(settings: Settings) -> None:
    found = signers(settings, [str(A), str(B)], [str(A)])

    assert (found.authors, found.approvers) == ((A, B), (A,))


def test_an_installation_keeps_its_name_in_a_new_epoch_of_the_log(settings: Settings) -> None:
    later = settings.model_copy(update={"log_origin": f"{settings.log_origin}/epoch-3"})

    assert policy_signers(later).installation == settings.log_origin


@pytest.mark.parametrize(
    ("authors", "approvers"),
    [
        (["rubbish"], []),
        ([], ["rubbish"]),
        ([str(A)], [str(signer_key("a", OTHER))]),
        ([str(A)], [str(signer_key("b", ONE))]),
        ([str(A), str(signer_key("b", ONE))], []),
    ],
)
def test_neither_a_name_nor_a_key_is_of_two_persons(
    settings: Settings, authors: list[str], approvers: list[str]
) -> None:
    with pytest.raises(RefusesToStart, match="policy_a"):
        signers(settings, authors, approvers)
