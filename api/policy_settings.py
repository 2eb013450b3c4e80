"""What the settings say of the policy: who signs a change of it, for which installation."""

from collections.abc import Iterable
from operator import attrgetter

from api.accesslog.epoch import first_origin
from api.accesslog.note import ED25519, VerifierKey
from api.casework.policy_bundle import Signers
from api.errors import RefusesToStart
from api.log_settings import verifier_keys
from api.settings import Settings


def policy_signers(settings: Settings) -> Signers:
    """Give who may sign a policy.

    One person may be an author and an approver, and signs a policy as one of them.

    Raises:
        RefusesToStart: a key is malformed, or a name or a key is of two persons.
    """
    authors = verifier_keys(settings.policy_authors, "policy_authors")
    approvers = verifier_keys(settings.policy_approvers, "policy_approvers")
    persons = {*authors, *approvers}
    if (
        any(key.kind != ED25519 for key in persons)
        or _doubled(persons, "name")
        or _doubled(persons, "public")
    ):
        raise RefusesToStart(
            "In `policy_authors` and `policy_approvers` each person has one name and one "
            "Ed25519 key of their own."
        )
    return Signers(first_origin(settings.log_origin), authors, approvers)


def _doubled(keys: Iterable[VerifierKey], what: str) -> bool:
    found = [attrgetter(what)(key) for key in keys]
    return len(set(found)) < len(found)
