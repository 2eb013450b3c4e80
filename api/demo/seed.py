"""Write synthetic records into an empty store, through casework, as everything is written."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from api.casework import provisioning
from api.casework.house import House
from api.casework.provisioning import NewRelease
from api.casework.releases import ReleaseContent
from api.casework.writing import Batch, NewDefender, NewNote
from api.demo.synthetic_consents import AGREED
from api.demo.synthetic_records import (
    Synthetic,
    SyntheticCaseFile,
    SyntheticDefender,
    SyntheticRelease,
)

#: Case files that one transaction writes.
BATCH = 250

#: The view that the demo's releases are made with.
PROFILE = "legal_aid"

Progress = Callable[[int], None]


def organisation_rows(records: Synthetic) -> list[dict[str, Any]]:
    """Give the rows of the organisations; their keys must exist in the key service."""
    return [
        {
            "slug": o.slug,
            "kind": o.kind,
            "name": o.name,
            "reference_prefix": o.reference_prefix,
            "references_given": 0,
        }
        for o in records.organisations
    ]


async def seed(house: House, records: Synthetic, progress: Progress) -> None:
    """Write members, case files and releases; *progress* is told each batch's case files."""
    for organisation in records.organisations:
        await provisioning.add_members(
            house,
            organisation.slug,
            [
                {
                    "id": m.id,
                    "organisation": m.organisation,
                    "subject": m.subject,
                    "role": m.role.value,
                    "clearance": int(m.clearance),
                    "trained": int(m.trained),
                    "disabled_at": m.disabled_at,
                }
                for m in records.members
                if m.organisation == organisation.slug
            ],
        )
    people: dict[UUID, SyntheticDefender] = {d.id: d for d in records.defenders}
    for organisation in records.organisations:
        files = [f for f in records.case_files if f.lead_agency == organisation.slug]
        for start in range(0, len(files), BATCH):
            batch = files[start : start + BATCH]
            await provisioning.import_case_files(
                house,
                organisation.slug,
                _batch(records, batch, people),
                {f.id: _clear(f) for f in batch},
            )
            progress(len(batch))
        if files:
            await _releases(house, records, organisation.slug, people)
    await provisioning.count_references(
        house,
        {
            o.slug: sum(f.lead_agency == o.slug for f in records.case_files)
            for o in records.organisations
            if o.reference_prefix is not None
        },
    )


def _batch(
    records: Synthetic,
    files: list[SyntheticCaseFile],
    people: Mapping[UUID, SyntheticDefender],
) -> Batch:
    ids = {f.id for f in files}
    return Batch(
        {
            f.id: {
                "account": f.account,
                "sexual_violence_forms": f.sexual_violence_forms,
                "adversary_institutions": (),
            }
            for f in files
        },
        {d: _defender(people[d]) for f in files for d in f.defenders},
        [(f.id, d, position) for f in files for position, d in enumerate(f.defenders)],
        [
            {
                "id": a.id,
                "case_file": a.case_file,
                "member": a.member,
                "assigned_by": a.assigned_by,
                "starts_at": a.starts_at,
                "ends_at": a.ends_at,
                "ended_at": a.ended_at,
            }
            for a in records.assignments
            if a.case_file in ids
        ],
        [
            NewNote(
                {
                    "id": n.id,
                    "case_file": n.case_file,
                    "author": n.author,
                    "written_at": n.written_at,
                },
                n.body,
            )
            for n in records.notes
            if n.case_file in ids
        ],
        [
            {
                "id": c.id,
                "defender": c.defender,
                "case_file": c.case_file,
                "recipient": None,
                "compartments": ",".join(AGREED),
                "purpose": c.purpose.value,
                "until": c.until,
                "form": c.form.value,
                "recorded_by": c.recorded_by,
                "recorded_at": c.recorded_at,
            }
            for c in records.consents
            if c.case_file in ids
        ],
    )


def _defender(person: SyntheticDefender) -> NewDefender:
    return NewDefender(
        person.categories,
        {
            "full_name": person.full_name,
            "aliases": person.aliases,
            "nik": person.nik,
            "family_card": person.family_card,
            "date_of_birth": person.date_of_birth,
            "gender": person.gender,
            "nationality": person.nationality,
            "sealed_categories": person.sealed_categories,
            "phones": person.phones,
            "emails": person.emails,
            "home_address": person.home_address,
            "present_location": person.present_location,
        },
    )


def _clear(file: SyntheticCaseFile) -> dict[str, Any]:
    return {
        "reference": file.reference,
        "status": file.status.value,
        "urgency": file.urgency,
        "sensitivity": int(file.sensitivity),
        "province": file.province,
        "opened_on": file.opened_on,
        "respond_by": file.respond_by,
        "incident_kinds": list(file.incident_kinds),
        "adversary_kinds": list(file.adversary_kinds),
        "measure_kinds": list(file.measure_kinds),
    }


async def _releases(
    house: House, records: Synthetic, agency: str, people: Mapping[UUID, SyntheticDefender]
) -> None:
    files = {f.id: f for f in records.case_files}
    await provisioning.import_releases(
        house,
        agency,
        [
            NewRelease(
                {
                    "id": r.id,
                    "partner": r.partner,
                    "agency": r.agency,
                    "profile": PROFILE,
                    "purpose": r.purpose.value,
                    "until": r.until,
                    "revoked_at": r.revoked_at,
                },
                r.case_file,
                _content(r, files[r.case_file], people).dump(),
            )
            for r in records.releases
            if r.agency == agency
        ],
    )


def _content(
    release: SyntheticRelease,
    file: SyntheticCaseFile,
    people: Mapping[UUID, SyntheticDefender],
) -> ReleaseContent:
    categories = sorted({c for d in file.defenders for c in people[d].categories})
    return ReleaseContent(
        province=file.province,
        month=file.opened_on.strftime("%Y-%m"),
        categories=categories,
        incident_kinds=sorted(file.incident_kinds),
        adversary_kinds=sorted(file.adversary_kinds),
        needs=sorted(release.requested),
        summary=release.summary,
    )
