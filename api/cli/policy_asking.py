"""Ask a policy why: over stated facts without keys, or of a member and a record with them.

What is printed holds ids and words, never a name or a value. What touches the records
leaves an event with the operator's role.
"""

from typing import Annotated
from uuid import UUID

import typer

from api.app import open_house
from api.casework import access_review, explaining
from api.casework.access_review import Review
from api.casework.explaining import Explained
from api.cli.terminal import one_line, out, run, settings_or_demo
from api.errors import NotFound, RefusesToStart
from api.policies.checking import spoken
from api.policies.engine import Policy
from api.policies.explaining import explain as explained_by
from api.policies.gate import Gate
from api.policies.tables import question
from api.policies.tracing import Told
from api.vocabulary import Compartment, Purpose, RecordKind

CompartmentOption = Annotated[
    Compartment | None, typer.Option(help="Which one; without it, whether the record exists.")
]


def explain(
    who: Annotated[
        str, typer.Option(help="Stated, as in a table: 'case officer of LPSK; clearance 3'.")
    ] = "",
    record: Annotated[
        str, typer.Option(help="Stated: 'case file of LPSK; sensitivity 3', 'release', 'event'.")
    ] = "",
    ground: Annotated[str, typer.Option(help="Stated: 'assigned', 'none', ...")] = "none",
    purpose: Annotated[str, typer.Option(help="As declared: 'protection', ...")] = "",
    act: Annotated[
        str, typer.Option(help="Stated: 'see', 'open' or what is to be done, as 'add note'.")
    ] = "",
    compartment: CompartmentOption = None,
    member: Annotated[
        UUID | None, typer.Option(help="Instead of stated facts: id of a member.")
    ] = None,
    case_file: Annotated[
        UUID | None, typer.Option(help="With --member: id of a case file.")
    ] = None,
) -> None:
    """Say why something is open or closed, by which rule, and what would open it.

    Over facts that are stated as in a table, without settings and keys; or for a member and
    a case file, with them, which leaves an event in the access log.
    """
    if member is not None and case_file is not None and not (who or record or act):
        _say(run(_explained(member, case_file, purpose, compartment)))
    elif member is None and case_file is None and who and record:
        with one_line():
            _stated(who, record, ground, purpose, act, compartment)
    else:
        raise typer.BadParameter("give --who and --record, or --member and --case-file")


def _stated(
    who: str, record: str, ground: str, purpose: str, act: str, compartment: Compartment | None
) -> None:
    word = "" if compartment is None else compartment.value.replace("_", " ")
    facts = question(who, record, ground, purpose, act or ("open" if word else "see"), word)
    found = explained_by(Gate(Policy.shipped()), *facts)
    out.print(f"{spoken(found.verdict)}.", markup=False)
    for text in found.said:
        out.print(text, markup=False)
    _say_rules(found.rules)
    for remedy in found.remedies:
        for text in remedy.said:
            out.print(f"  * {text}", markup=False)


async def _explained(
    member: UUID, case_file: UUID, purpose: str, compartment: Compartment | None
) -> Explained:
    settings = settings_or_demo()
    try:
        declared = Purpose(purpose.replace(" ", "_").replace("-", "_"))
    except ValueError:
        raise RefusesToStart("Say for which purpose: --purpose protection, ...") from None
    asked = explaining.question_of((RecordKind.CASE_FILE, case_file), compartment, None)
    async with open_house(settings) as house:
        caller = await explaining.as_member(house, member, declared)
        if caller is None:
            raise RefusesToStart(
                "There is no live caseworker with this id in an organisation whose keys are here."
            )
        return await explaining.explain_to_operator(house, caller, asked)


def _say(found: Explained) -> None:
    decision = "refused" if found.ground is None else "allowed"
    word = found.reason if found.ground is None else found.ground
    out.print(f"{decision}: {str(word).replace('_', ' ')}.", markup=False)
    for text in found.said:
        out.print(text, markup=False)
    _say_rules(found.rules)
    for remedy in found.remedies:
        for text in remedy:
            out.print(f"  * {text}", markup=False)


def _say_rules(rules: tuple[Told, ...]) -> None:
    for rule in rules:
        lacks = f" lacks `{rule.condition}` ({rule.condition_place})" if rule.condition else ""
        out.print(f"  {rule.place}: {rule.name}{lacks}", markup=False)


def who_can_see(
    defender: Annotated[UUID, typer.Argument(help="Id of the defender.")],
    agency: Annotated[
        str | None, typer.Option(help="Slug of the agency; needed where several are served.")
    ] = None,
) -> None:
    """Say which members of the agency could open what of a defender, now, by their ids.

    Of a case that the agency leads. Leaves an event in the access log.
    """
    for review in run(_reviewed(defender, agency)):
        for member in review.members:
            out.print(f"{member.member} {member.role.value}", markup=False)
            for one in member.openings:
                purposes = ", ".join(one.purposes)
                out.print(f"  {one.compartment}: {one.ground}, for {purposes}", markup=False)
        if review.end is None:
            for shared in review.agencies:
                words = ", ".join(shared.compartments)
                out.print(
                    f"{shared.agency}, by referral until {shared.until.isoformat()}: {words}",
                    markup=False,
                )


async def _reviewed(defender: UUID, agency: str | None) -> list[Review]:
    settings = settings_or_demo()
    if agency is None and len(settings.owners) > 1:
        raise RefusesToStart("The settings name several owners: say which with --agency.")
    mine = settings.owners[0] if agency is None else agency
    if mine not in settings.owners:
        raise RefusesToStart(f"The keys of {mine} are not in this process.")
    async with open_house(settings) as house:
        found = await access_review.for_operator(house, mine, defender)
    if found is None:
        raise NotFound
    return found
