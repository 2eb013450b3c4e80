"""A release as a paper: what its partner reads in it, with the mark of this copy on each page."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from api.casework import releases
from api.casework.house import House
from api.casework.releases import ReleaseView
from api.code_lists import CodeLists
from api.errors import SealBroken
from api.paper.document import Grid, Paper, Prose, Section
from api.paper.rendering import render
from api.policies.plain_words import PURPOSES
from api.vocabulary import Language, Partner, Purpose


@dataclass(frozen=True, slots=True)
class ReleasePaper:
    """One copy of a release as PDF, and its mark."""

    id: UUID
    mark: str
    pdf: bytes = field(repr=False)


async def paper(house: House, caller: Partner, release: UUID, language: Language) -> ReleasePaper:
    """Disclose one release as PDF, as `releases.one` does.

    Raises:
        NotFound: not there, over, revoked, or made for somebody else.
        SealBroken: it could not be opened.
        PaperNotMade: it could not be set.
    """
    view = await releases.one(house, caller, release, content=True)
    if view.content is None or view.mark is None:
        raise SealBroken
    made = compose(view, Copy(caller.organisation, caller.member), house.codes, language)
    return ReleasePaper(view.id, view.mark, await asyncio.to_thread(render, made))


class Copy(NamedTuple):
    """For whom a copy is; `member` is a pseudonym."""

    partner: str
    member: UUID


def compose(view: ReleaseView, copy: Copy, codes: CodeLists, language: Language) -> Paper:
    """Write the paper of a release that was opened."""
    words = _WORDS[language]
    content = view.content
    if content is None or view.mark is None:
        raise ValueError("nothing was opened")

    def labels(name: str, of: Iterable[str]) -> str:
        return "; ".join(_label(codes, name, code, language) for code in of) or words.none

    purpose = PURPOSES[Purpose(view.purpose)]
    made_out = words.made_out.format(
        partner=copy.partner, member=copy.member, at=_moment(view.fetched_at)
    )
    facts = (
        (words.agency, view.agency),
        (words.profile, view.profile.replace("_", " ")),
        (words.purpose, purpose.indonesian if language is Language.ID else purpose.english),
        (words.until, _moment(view.until)),
        (words.province, labels("provinces", [content.province])),
        (words.month, content.month),
        (words.categories, labels("defender_categories", content.categories)),
        (words.incidents, labels("incident_kinds", content.incident_kinds)),
        (words.adversaries, labels("adversary_kinds", content.adversary_kinds)),
        (words.needs, labels("measure_kinds", content.needs)),
    )
    return Paper(
        language=language,
        title=words.title,
        page=words.page,
        foot=(made_out, f"{words.mark} {view.mark}"),
        blocks=(
            Prose(f"{made_out} {words.mark} {view.mark}"),
            Section(words.facts),
            Grid((words.what, words.says), facts),
            Section(words.summary),
            Prose(content.summary),
            Section(words.use),
            Prose(words.rules),
        ),
    )


def _label(codes: CodeLists, name: str, code: str, language: Language) -> str:
    # A code of a version that is not this one stands for itself.
    entry = codes.lists[name].get(code)
    if entry is None:
        return code
    return entry.labels.id if language is Language.ID else entry.labels.en


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


class _Words(NamedTuple):
    title: str
    page: str
    made_out: str
    mark: str
    facts: str
    what: str
    says: str
    agency: str
    profile: str
    purpose: str
    until: str
    province: str
    month: str
    categories: str
    incidents: str
    adversaries: str
    needs: str
    none: str
    summary: str
    use: str
    rules: str


_WORDS: Final[Mapping[Language, _Words]] = {
    Language.EN: _Words(
        title="Redacted release",
        page="Page",
        made_out="Copy for {partner}, member {member}, fetched {at}.",
        mark="Mark of this copy:",
        facts="What was released",
        what="What",
        says="What it says",
        agency="Released by",
        profile="View",
        purpose="Only for this purpose",
        until="Ends",
        province="Province",
        month="Month of the case",
        categories="Defends",
        incidents="What happened",
        adversaries="Who threatens",
        needs="What is asked of you",
        none="not stated",
        summary="Summary",
        use="How you may use it",
        rules=(
            "Use it only for the purpose above, and destroy it when it ends. Do not try to find "
            "out who it is about.\n"
            "This copy can be traced to whom it was given: the mark is on each page, and the "
            "access log tells who fetched it."
        ),
    ),
    Language.ID: _Words(
        title="Rilis tersunting",
        page="Halaman",
        made_out="Salinan untuk {partner}, anggota {member}, diambil {at}.",
        mark="Tanda salinan ini:",
        facts="Yang dirilis",
        what="Perihal",
        says="Isi",
        agency="Dirilis oleh",
        profile="Tampilan",
        purpose="Hanya untuk tujuan ini",
        until="Berakhir",
        province="Provinsi",
        month="Bulan kasus",
        categories="Yang dibela",
        incidents="Yang terjadi",
        adversaries="Pihak yang mengancam",
        needs="Yang diminta dari Anda",
        none="tidak disebutkan",
        summary="Ringkasan",
        use="Cara menggunakannya",
        rules=(
            "Gunakan hanya untuk tujuan di atas, dan musnahkan setelah berakhir. Jangan mencoba "
            "mencari tahu siapa orangnya.\n"
            "Salinan ini dapat ditelusuri sampai kepada penerimanya: tandanya ada di setiap "
            "halaman dan dapat dicocokkan dengan catatan akses."
        ),
    ),
}
