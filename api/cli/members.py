"""Organisations and members, before anybody can sign in. Each change is an event in the log."""

from contextlib import AsyncExitStack
from enum import StrEnum
from typing import Annotated

import typer
from uuid_utils.compat import uuid7

from api.app import key_service, open_house
from api.casework.provisioning import add_members, disable_member, set_up_owners
from api.casework.trust import fingerprint_of, trust
from api.cli.terminal import out, run, settings_or_demo
from api.database import Records, engine_of
from api.errors import RefusesToStart
from api.vocabulary import CASEWORK_ROLES, Role

organisations = typer.Typer(help="Agencies and their partners.", no_args_is_help=True)
members = typer.Typer(help="The people of an organisation.", no_args_is_help=True)


class Kind(StrEnum):
    """What an organisation is."""

    AGENCY = "agency"
    PARTNER = "partner"


Slug = Annotated[str, typer.Argument(help="Slug of the organisation, as in the settings' owners.")]
Subject = Annotated[str, typer.Argument(help="The `sub` of the person's access tokens.")]


@organisations.callback()
def _organisations() -> None:
    """Agencies and their partners."""


@organisations.command("add")
def add_organisation(
    slug: Slug,
    name: Annotated[str, typer.Option(help="Its name, for people.")],
    kind: Annotated[Kind, typer.Option(help="Agencies lead case files; partners read releases.")],
    prefix: Annotated[
        str | None, typer.Option(help="Begins its case references, such as KH; agencies only.")
    ] = None,
) -> None:
    """Add an organisation whose keys are in the key service."""
    run(_add_organisation(slug, name, kind, prefix))
    out.print(f"{slug} is there. Restart the service to load its keys.")


async def _add_organisation(slug: str, name: str, kind: Kind, prefix: str | None) -> None:
    settings = settings_or_demo()
    if slug not in settings.owners:
        raise RefusesToStart(f"Add {slug} to `owners` in the settings first.")
    if (kind is Kind.AGENCY) is (prefix is None):
        raise RefusesToStart(
            "An agency needs --prefix for its case references; a partner has none."
        )
    store = Records(engine_of(settings.records_url.get_secret_value()))
    row = {
        "slug": slug,
        "kind": kind.value,
        "name": name,
        "reference_prefix": prefix,
        "references_given": 0,
    }
    async with AsyncExitStack() as closing:
        closing.push_async_callback(store.close)
        service = key_service(settings)
        closing.push_async_callback(service.close)
        await set_up_owners(store, service, [row])


@organisations.command("fingerprint")
def fingerprint(
    slug: Annotated[
        str | None, typer.Argument(help="Whose; without it, of every owner in the settings.")
    ] = None,
) -> None:
    """Show the fingerprint of the keys by which agencies share, to be told by telephone."""
    for owner, digits in run(_fingerprints(slug)).items():
        out.print(f"{owner}: {digits}")


async def _fingerprints(slug: str | None) -> dict[str, str]:
    settings = settings_or_demo()
    found = {}
    async with open_house(settings) as house:
        for owner in settings.owners if slug is None else (slug,):
            async with house.records.look() as connection:
                digits = await fingerprint_of(house, connection, owner)
            if digits is None:
                raise RefusesToStart(f"{owner} publishes no keys yet.")
            found[owner] = digits
    return found


@organisations.command("trust")
def trust_organisation(
    peer: Annotated[str, typer.Argument(help="Slug of the other agency.")],
    fingerprint: Annotated[
        str, typer.Option(help="As its operators told it, not as this database shows it.")
    ],
    owner: Annotated[
        str | None, typer.Option(help="Your agency; needed where the settings name several.")
    ] = None,
) -> None:
    """Pin the keys of another agency, so that case files can be referred to and from it."""
    run(_trust(peer, fingerprint, owner))
    out.print(f"The keys of {peer} are pinned.")


async def _trust(peer: str, told: str, owner: str | None) -> None:
    settings = settings_or_demo()
    if owner is None and len(settings.owners) > 1:
        raise RefusesToStart("The settings name several owners: say which with --owner.")
    mine = settings.owners[0] if owner is None else owner
    if mine not in settings.owners:
        raise RefusesToStart(f"The keys of {mine} are not in this process.")
    async with open_house(settings) as house:
        if not await trust(house, mine, peer, told):
            raise RefusesToStart(
                f"The keys that {peer} publishes here do not have this fingerprint. "
                "Nothing was pinned. Ask its operators again, by another way."
            )


@members.command("add")
def add_member(
    organisation: Slug,
    subject: Subject,
    role: Annotated[Role, typer.Option(help="What the person does.")],
    clearance: Annotated[int, typer.Option(min=1, max=4, help="Up to which sensitivity.")] = 1,
    trained: Annotated[
        bool, typer.Option(help="Holds the training on gender-based violence.")
    ] = False,
) -> None:
    """Add a member; prints the pseudonym under which the log knows the person."""
    out.print(run(_add_member(organisation, subject, role, clearance, trained)))


async def _add_member(
    organisation: str, subject: str, role: Role, clearance: int, trained: bool
) -> str:
    if role not in CASEWORK_ROLES and (clearance > 1 or trained):
        raise RefusesToStart("Only who does casework has a clearance above 1 or the training.")
    member = uuid7()
    async with open_house(settings_or_demo()) as house:
        row = {
            "id": member,
            "organisation": organisation,
            "subject": subject,
            "role": role.value,
            "clearance": clearance,
            "trained": int(trained),
            "disabled_at": None,
        }
        await add_members(house, organisation, [row])
    return str(member)


@members.command("disable")
def disable(organisation: Slug, subject: Subject) -> None:
    """Disable a member: the next request of that person is refused."""
    run(_disable(organisation, subject))
    out.print(f"{subject} of {organisation} is disabled.")


async def _disable(organisation: str, subject: str) -> None:
    async with open_house(settings_or_demo()) as house:
        if not await disable_member(house, organisation, subject):
            raise RefusesToStart(f"{organisation} has no live member {subject}.")
