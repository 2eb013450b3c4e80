"""Adopt a policy that two persons signed: it stands as one row, and every process takes it over."""

from dataclasses import replace
from datetime import datetime

from api.accesslog.event import Event
from api.casework.policy_bundle import Bundle, Signed, Signers, open_signed
from api.casework.policy_change import Adopted, Change
from api.casework.policy_in_force import PolicyFault, Proven, all_proven, shipped_hash
from api.casework.recording import event_of_service
from api.database import Connection, Records
from api.errors import NoteInvalid, PolicyRefused
from api.store import locks, policy
from api.store.policy import PolicyRow
from api.vocabulary import Action, Role


async def standing(
    records: Records, signers: Signers, adopted: Adopted | None
) -> tuple[Proven | None, list[str]]:
    """Give the policy that stands adopted, and a sentence for each row that does not count.

    None: the shipped one stands.

    Args:
        adopted: what the log says was adopted last.

    Raises:
        StoreUnavailable: the rows cannot be read.
    """
    async with records.snapshot() as snapshot:
        return await _standing(snapshot, signers, adopted)


async def _standing(
    connection: Connection, signers: Signers, adopted: Adopted | None
) -> tuple[Proven | None, list[str]]:
    known, faults = all_proven(await policy.since(connection, 0), signers, adopted)
    return known[-1] if known else None, [_sentence(fault, number) for fault, number in faults]


def next_after(standing: Proven | None) -> tuple[int, str]:
    """Give the number of the next policy, and the hash of the one that it replaces."""
    if standing is None:
        return 1, shipped_hash()
    return standing.row.number + 1, standing.hash


def check_signed(bundle: Bundle, signers: Signers) -> Signed:
    """Prove that two persons who may signed *bundle*.

    Raises:
        PolicyRefused: they did not.
    """
    try:
        return open_signed(bundle.note, signers)
    except NoteInvalid:
        raise PolicyRefused(
            "The bundle is not signed for this installation by two different persons, one of "
            "`policy_authors` and one of `policy_approvers`."
        ) from None


def check_next(signed: Signed, standing: Proven | None, adopted: Adopted | None) -> None:
    """Prove that what was signed follows the policy that stands.

    Args:
        adopted: what the log says was adopted last; if that is gone from the records, it
            may be put back.

    Raises:
        PolicyRefused: it does not: it was adopted before, or was signed for another moment.
    """
    said = signed.statement
    number, replaces = next_after(standing)
    if adopted == Adopted(said.number, said.policy) and number <= said.number:
        return
    if (said.number, said.replaces) != (number, replaces):
        raise PolicyRefused(
            f"The bundle is number {said.number} and replaces {said.replaces}; the next is "
            f"number {number} and replaces {replaces}. Have it signed anew for that."
        )


def event_of_adoption(signed: Signed, at: datetime, agencies: tuple[str, ...]) -> Event:
    """Make the event of it: both hashes, and the ids of the keys that signed."""
    said = signed.statement
    change = Change(said.replaces, said.policy, signed.words)
    event = event_of_service(
        Action.POLICY_CHANGE,
        at,
        request="operation",
        policy=change.policy,
        agencies=agencies,
        role=Role.OPERATOR,
        previous=change.previous,
    )
    return replace(event, touched=change.touched)


async def adopt(
    records: Records, bundle: Bundle, signers: Signers, adopted: Adopted | None
) -> None:
    """Write the row; the next request of every process decides under it.

    Args:
        adopted: as for `check_next`.

    Raises:
        PolicyRefused: it is not signed, or not the next one; another may have come first.
        StoreUnavailable: it may have been written.
    """
    signed = check_signed(bundle, signers)
    number = signed.statement.number
    async with records.change() as change:
        await locks.alone(change, locks.POLICY)
        check_next(signed, (await _standing(change, signers, adopted))[0], adopted)
        if any(row.number == number for row in await policy.since(change, number)):
            raise PolicyRefused(
                f"{_sentence(PolicyFault.NOT_SIGNED, number)} Find out who wrote it, and have the "
                "owner of the records' database take it away."
            )
        await policy.insert_row(change, PolicyRow(number, bundle.note, bundle.printed_texts))


def _sentence(fault: PolicyFault, number: int) -> str:
    why = {
        PolicyFault.NOT_SIGNED: "is not signed by two persons who may",
        PolicyFault.NOT_NEXT: "does not follow the one before it",
    }
    return f"Row {number} of the table `policy` {why[fault]}, and counts for nothing."
