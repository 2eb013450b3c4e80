"""Sentences for a person who is no programmer, in Indonesian and in English.

Each reason, each ground and each field of the facts has its line here, and nowhere else:
whoever adds a word to the vocabulary or a field to the facts adds a line, and a test fails
until it is there. A sentence says what the reader can do; it names nobody.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from api.policies.facts import FIELD_TYPES
from api.vocabulary import Compartment, Ground, Purpose, Reason, Role


class Said(NamedTuple):
    """The same in both languages. `{}` stands for words that are put in."""

    indonesian: str
    english: str

    def of(self, *words: "Said") -> "Said":
        """Put *words*, joined with commas, in the place of `{}`."""
        return Said(
            self.indonesian.format(", ".join(word.indonesian for word in words)),
            self.english.format(", ".join(word.english for word in words)),
        )


class Fact(NamedTuple):
    """One field of the facts, and whether changing it can be advised.

    Attributes:
        said: what would have to be done; `{}` is the value.
        wanted: the values that can be advised; none: it is never advised.
        along: what changes with it.
        compartment: it matters to this compartment only.
        elsewhere: it can be so of a case file of another agency only.
        last: advised only where nothing else helps.
    """

    said: Said
    wanted: tuple[str | int | bool, ...] = (True,)
    along: tuple[tuple[str, str | int | bool], ...] = ()
    compartment: Compartment | None = None
    elsewhere: bool = False
    last: bool = False


_NOT_IN_REACH: Final = Said(
    "Data ini berada di luar jangkauan Anda.",
    "This record is not within your reach.",
)

REASONS: Final[Mapping[Reason, Said]] = {
    Reason.CASE_FILE_CLOSED: Said(
        "Berkas kasus ini sudah ditutup. Mintalah penyelia atau pimpinan lembaga Anda membukanya "
        "kembali.",
        "This case file is closed. Ask a supervisor, or your agency's lead, to reopen it.",
    ),
    Reason.CLEARANCE_TOO_LOW: Said(
        "Tingkat izin akses Anda lebih rendah daripada tingkat kerahasiaan berkas kasus ini.",
        "Your clearance is lower than the sensitivity of this case file.",
    ),
    Reason.COMPARTMENT_NOT_HELD: Said(
        "Bagian data ini hanya terbuka bagi sebagian petugas, dan Anda belum termasuk.",
        "This part of the data is open to some of the staff only, and you are not among them.",
    ),
    # Who is tied is told of nothing: the same words as of what is not in reach.
    Reason.CONFLICT_OF_INTEREST: _NOT_IN_REACH,
    Reason.ERASED: Said(
        "Data ini sudah dihapus. Tidak ada lagi yang dapat dibuka oleh siapa pun.",
        "This record was erased. Nothing of it is left that anybody could open.",
    ),
    Reason.LOG_NOT_WITNESSED: Said(
        "Catatan akses sedang tidak dipantau oleh saksi, sehingga bagian data ini tertutup bagi "
        "semua orang. Bagian ini akan terbuka kembali dengan sendirinya.",
        "The access log has no witnesses at the moment, so this part of the data is closed to "
        "everybody. It opens again by itself.",
    ),
    Reason.NOT_ASSIGNED: Said(
        "Anda tidak memiliki penugasan atau wewenang lain atas berkas kasus ini yang "
        "mengizinkannya.",
        "You have no assignment, and no other ground on this case file, that would allow it.",
    ),
    Reason.NOT_IN_REACH: _NOT_IN_REACH,
    Reason.OPENINGS_EXHAUSTED: Said(
        "Data yang dibuka lebih banyak daripada yang diizinkan dalam satu jam. Mintalah lebih "
        "sedikit, atau tunggu.",
        "More was to be opened than an hour allows. Ask for less, or wait.",
    ),
    Reason.PURPOSE_DOES_NOT_FIT: Said(
        "Tujuan yang Anda nyatakan tidak sesuai dengan peran Anda atau dengan tindakan ini.",
        "The purpose that you declared does not fit your role, or what you want to do.",
    ),
    Reason.ROLE_DOES_NOT_FIT: Said(
        "Peran Anda tidak mencakup hal ini.",
        "Your role does not include this.",
    ),
    Reason.SEAL_BROKEN: Said(
        "Segel data ini rusak, sehingga isinya tidak dapat dipercaya. Segera beri tahu petugas "
        "keamanan informasi lembaga Anda.",
        "The seal of this record is broken, so its content cannot be trusted. Tell your "
        "agency's security officer at once.",
    ),
}

GROUNDS: Final[Mapping[Ground, Said]] = {
    Ground.ADDRESSEE: Said(
        "Ringkasan ini dibuat untuk organisasi Anda.",
        "This was made for your organisation.",
    ),
    Ground.ASSIGNED: Said(
        "Anda ditugaskan pada berkas kasus ini.",
        "You are assigned to this case file.",
    ),
    Ground.BREAK_GLASS: Said(
        "Akses darurat Anda atas berkas kasus ini sedang berlaku.",
        "Your emergency access to this case file is in force.",
    ),
    Ground.DELEGATED: Said(
        "Rekan yang ditugaskan pada berkas kasus ini melimpahkan pekerjaannya kepada Anda.",
        "A colleague who is assigned to this case file handed the work to you.",
    ),
    Ground.MANDATED: Said(
        "Lembaga Anda berwenang memutuskan perlindungan darurat.",
        "Your agency has the mandate to decide on emergency protection.",
    ),
    Ground.OVERSIGHT: Said(
        "Anda mengawasi catatan akses lembaga Anda.",
        "You review the access log of your agency.",
    ),
    Ground.OWN_AGENCY: Said(
        "Lembaga Anda menangani berkas kasus ini.",
        "Your agency leads this case file.",
    ),
    Ground.REFERRAL_ACCEPTED: Said(
        "Berkas kasus ini dirujuk kepada lembaga Anda, dan lembaga Anda sudah menerimanya.",
        "This case file was referred to your agency, which accepted it.",
    ),
    Ground.SUPERVISING: Said(
        "Anda mengawasi pekerjaan rekan yang ditugaskan pada berkas kasus ini.",
        "You supervise a colleague who is assigned to this case file.",
    ),
}

ROLES: Final[Mapping[Role, Said]] = {
    Role.AGENCY_LEAD: Said("pimpinan lembaga", "agency lead"),
    Role.CASE_OFFICER: Said("petugas kasus", "case officer"),
    Role.INTAKE_OFFICER: Said("petugas penerimaan pengaduan", "intake officer"),
    Role.OPERATOR: Said("operator sistem", "operator"),
    Role.PARTNER: Said("mitra", "partner"),
    Role.PROTECTION_OFFICER: Said("petugas perlindungan", "protection officer"),
    Role.SECURITY_OFFICER: Said("petugas keamanan informasi", "security officer"),
    Role.SUPERVISOR: Said("penyelia", "supervisor"),
}

PURPOSES: Final[Mapping[Purpose, Said]] = {
    Purpose.ASSESSMENT: Said("penilaian risiko", "assessment"),
    Purpose.EMERGENCY: Said("keadaan darurat", "emergency"),
    Purpose.INTAKE: Said("penerimaan pengaduan", "intake"),
    Purpose.PROTECTION: Said("perlindungan", "protection"),
    Purpose.QUALITY_REVIEW: Said("peninjauan mutu", "quality review"),
    Purpose.REFERRAL: Said("rujukan", "referral"),
    Purpose.SUBJECT_REQUEST: Said("permintaan pemilik data", "subject request"),
    Purpose.SUPERVISION: Said("supervisi", "supervision"),
}

COMPARTMENTS: Final[Mapping[Compartment, Said]] = {
    Compartment.ADVERSARY: Said("data pihak yang mengancam", "what is known of the adversary"),
    Compartment.CONTACT: Said("data kontak", "the contact details"),
    Compartment.DOCUMENTS: Said("dokumen", "the documents"),
    Compartment.GENDER_VIOLENCE: Said(
        "data kekerasan berbasis gender", "the account of gender-based violence"
    ),
    Compartment.IDENTITY: Said("data identitas", "the identity"),
    Compartment.NARRATIVE: Said("uraian kasus", "the account of the case"),
    Compartment.RELEASE: Said("ringkasan untuk mitra", "the release for a partner"),
    Compartment.WHEREABOUTS: Said("data keberadaan", "the whereabouts"),
}

#: What stands between two things that are both needed.
BOTH: Final = Said("Diperlukan dua hal sekaligus.", "Two things are needed together.")

_PURPOSE: Final = Fact(
    Said(
        "Nyatakan tujuan yang sesuai, jika memang untuk itu Anda bekerja: {}.",
        "Declare a purpose that fits, if it is what you work for: {}.",
    ),
    tuple(purpose.value for purpose in Purpose),
)


#: Told to operators only, who state the facts: for who is tied the record does not exist.
_TIED: Final = Fact(
    Said(
        "Tercatat hubungan dengan pihak yang dilaporkan. Jika catatan itu keliru, hanya pimpinan "
        "lembaga yang dapat mencabutnya.",
        "A tie to the reported adversary is recorded. If that is wrong, only the agency's lead "
        "can take it back.",
    ),
    (False,),
)


def _shared(compartment: Compartment) -> Fact:
    return Fact(
        Said(
            "Lembaga yang menangani berkas kasus ini perlu merujuknya kepada lembaga Anda "
            "beserta {}, dan lembaga Anda perlu menerima rujukan itu.",
            "The agency that leads this case file has to refer it to yours together with {}, "
            "and your agency has to accept that.",
        ).of(COMPARTMENTS[compartment]),
        along=(("referred", True),),
        compartment=compartment,
        elsewhere=True,
    )


def _delegated(compartment: Compartment) -> Fact:
    return Fact(
        Said(
            "Mintalah rekan yang ditugaskan pada berkas kasus ini melimpahkan pekerjaannya kepada "
            "Anda beserta {}.",
            "Ask a colleague who is assigned to this case file to hand the work to you together "
            "with {}.",
        ).of(COMPARTMENTS[compartment]),
        along=(("delegated", True),),
        compartment=compartment,
    )


def _unlocked(compartment: Compartment) -> Fact:
    return Fact(
        Said(
            "Jika ada nyawa yang terancam dan petugas lain tidak dapat dihubungi, mintalah akses "
            "darurat untuk {}. Setiap pemakaiannya ditinjau.",
            "If a life is at stake and nobody else can be reached, break the glass for {}. Each "
            "use of it is reviewed.",
        ).of(COMPARTMENTS[compartment]),
        along=(("break_glass", True),),
        compartment=compartment,
        last=True,
    )


def _each(names: str, made: Callable[[Compartment], Fact]) -> dict[tuple[str, str], Fact]:
    """Give a line for each compartment that a right of this kind can name."""
    return {
        ("CaseFile", f"{names}_{compartment.value}"): made(compartment)
        for compartment in Compartment
        if f"{names}_{compartment.value}" in FIELD_TYPES["CaseFile"]
    }


#: Class and field -> its line, in the order in which advice is given: what one can do
#: oneself comes first.
FACTS: Final[Mapping[tuple[str, str], Fact]] = {
    ("Caseworker", "purpose"): _PURPOSE,
    ("CaseFile", "assigned"): Fact(
        Said(
            "Mintalah penyelia atau pimpinan lembaga Anda menugaskan Anda pada berkas kasus ini.",
            "Ask a supervisor, or your agency's lead, to assign you to this case file.",
        )
    ),
    ("CaseFile", "supervising"): Fact(
        Said(
            "Seorang rekan perlu ditugaskan pada berkas kasus ini, sehingga Anda mengawasi "
            "pekerjaannya.",
            "A colleague has to be assigned to this case file, so that you supervise that work.",
        )
    ),
    **_each("delegates", _delegated),
    # By themselves these two open nothing: what they name is advised.
    ("CaseFile", "delegated"): Fact(
        Said(
            "Pelimpahan pekerjaan atas berkas kasus ini tidak sedang berlaku bagi Anda.",
            "No work on this case file is handed to you at present.",
        ),
        (),
    ),
    ("CaseFile", "break_glass"): Fact(
        Said(
            "Akses darurat atas berkas kasus ini tidak sedang berlaku bagi Anda.",
            "You have no emergency access to this case file at present.",
        ),
        (),
        last=True,
    ),
    ("CaseFile", "second_person"): Fact(
        Said(
            "Data keberadaan dapat dilihat satu kali oleh dua orang bersama-sama. Mintalah seorang "
            "rekan yang juga bekerja pada berkas kasus ini untuk melihatnya bersama Anda.",
            "Two persons look at the whereabouts together, once. Ask a colleague who works on this "
            "case file, too, to look with you.",
        ),
        compartment=Compartment.WHEREABOUTS,
    ),
    ("Caseworker", "trained"): Fact(
        Said(
            "Diperlukan pelatihan tentang kekerasan berbasis gender. Setelah mengikutinya, "
            "mintalah pimpinan lembaga agar pelatihan Anda dicatat.",
            "The training on gender-based violence is needed. Once you have it, ask your "
            "agency's lead to have it recorded.",
        )
    ),
    ("Caseworker", "clearance"): Fact(
        Said(
            "Diperlukan tingkat izin akses {} atau lebih tinggi. Bicarakan dengan pimpinan "
            "lembaga Anda.",
            "A clearance of {} or higher is needed. Talk to your agency's lead.",
        ),
        (1, 2, 3, 4),
    ),
    ("CaseFile", "referred"): Fact(
        Said(
            "Lembaga yang menangani berkas kasus ini perlu merujuknya kepada lembaga Anda, dan "
            "lembaga Anda perlu menerima rujukan itu.",
            "The agency that leads this case file has to refer it to yours, which has to accept "
            "that.",
        ),
        elsewhere=True,
    ),
    **_each("shares", _shared),
    **_each("unlocks", _unlocked),
    ("CaseFile", "tied"): _TIED,
    ("CaseFile", "closed"): Fact(
        Said(
            "Berkas kasus ini perlu dibuka kembali oleh penyelia atau pimpinan lembaga Anda.",
            "A supervisor, or your agency's lead, has to reopen this case file.",
        ),
        (False,),
    ),
    ("Caseworker", "role"): Fact(
        Said(
            "Hal ini dapat dilakukan oleh rekan dengan peran: {}. Mintalah bantuannya.",
            "This is for a colleague with the role: {}. Ask one for help.",
        ),
        tuple(role.value for role in Role),
        last=True,
    ),
    ("Caseworker", "agency"): Fact(
        Said(
            "Setiap petugas bekerja untuk satu lembaga.",
            "Each member of staff works for one agency.",
        ),
        (),
    ),
    ("CaseFile", "lead_agency"): Fact(
        Said(
            "Setiap berkas kasus ditangani oleh satu lembaga.",
            "Each case file is led by one agency.",
        ),
        (),
    ),
    ("CaseFile", "sensitivity"): Fact(
        Said(
            "Tingkat kerahasiaan ditetapkan oleh lembaga yang menangani berkas kasus.",
            "The sensitivity is set by the agency that leads the case file.",
        ),
        (),
    ),
    ("Partner", "purpose"): _PURPOSE,
    ("Release", "for_purpose"): Fact(
        Said(
            "Nyatakan tujuan yang sama dengan tujuan pembuatan ringkasan ini.",
            "Declare the purpose for which this was made.",
        )
    ),
    ("Release", "addressed"): Fact(
        Said(
            "Lembaga yang menangani kasus perlu membuat ringkasan untuk organisasi Anda.",
            "The agency that leads the case has to make a release for your organisation.",
        )
    ),
    ("Release", "live"): Fact(
        Said(
            "Ringkasan ini sudah tidak berlaku. Mintalah ringkasan baru kepada lembaga yang "
            "membuatnya.",
            "This release is over. Ask the agency that made it for a new one.",
        )
    ),
    ("Release", "tied"): _TIED,
    ("SecurityOfficer", "agency"): Fact(
        Said(
            "Petugas keamanan informasi mengawasi lembaganya sendiri.",
            "A security officer reviews the own agency.",
        ),
        (),
    ),
    ("Event", "own_actor"): Fact(
        Said(
            "Peristiwa ini tidak dilakukan oleh anggota lembaga Anda.",
            "This event was not done by a member of your agency.",
        ),
        (),
    ),
    ("Event", "own_record"): Fact(
        Said(
            "Peristiwa ini tidak menyangkut data yang ditangani lembaga Anda.",
            "This event does not concern a record that your agency leads.",
        ),
        (),
    ),
    ("Event", "break_glass"): Fact(
        Said(
            "Peristiwa ini bukan pemakaian akses darurat yang menunggu peninjauan.",
            "This event is no use of an emergency access that awaits its review.",
        ),
        (),
    ),
}


def value_said(field: str, value: str | int | bool) -> Said:
    """Give the words for a *value* of *field*, to be put into its sentence."""
    if field == "purpose":
        return PURPOSES[Purpose(str(value))]
    if field == "role":
        return ROLES[Role(str(value))]
    return Said(str(value), str(value))
