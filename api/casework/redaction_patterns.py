"""What identifies whoever it is of: numbers, addresses of mail and pages, plates, coordinates.

Each pattern begins at a boundary and is bounded, so that no text makes it read twice.
"""

import re
from collections.abc import Iterable, Iterator

from api.casework.redaction_kinds import Kind
from api.casework.redaction_reading import Reading

#: Codes that begin the plates of Indonesian vehicles, and those of the state and of diplomats.
_PLATE_REGIONS = (
    "a b d e f g h k l m n p r s t w z aa ab ad ae ag ba bb bd be bg bh bk bl bm bn bp cc cd "
    "da db dc dd de dg dh dk dl dm dn dp dr ds dt dw ea eb ed kb kh kt ku pa pb pc pd pe pf pg "
    "ps pt pv px pw ri"
)
_REGION = "|".join(sorted(_PLATE_REGIONS.split(), key=len, reverse=True))
_TOP_LEVELS = (
    "com|org|net|info|biz|id|co|io|me|ly|gl|app|dev|be|gg|tv|news|xyz|site|online|link|onion"
)
_NETWORKS = "ig|instagram|fb|facebook|twitter|tiktok|telegram|tele|signal|line|akun|username|user"

_BEGINS = r"(?<![^\W_])"
_ENDS = r"(?![^\W_])"
_AT = r"(?:@|\s?[(\[{]\s?(?:at|et)\s?[)\]}]\s?)"
_DOT = r"(?:\.|\s?[(\[{]\s?(?:dot|titik)\s?[)\]}]\s?|\sdot\s|\stitik\s)"
_DECIMAL = r"-?[0-9]{1,3}[.,][0-9]{3,}"
_SIDE = r"(?:ls|lu|bt|bb|[nsewut])"  # of the equator or of Greenwich
_PLUS_CODE = "[23456789cfghjmpqrvwx]"
_HEX = "[0-9a-f]"
_SOMEBODY = (
    "perempuan|wanita|ibu|laki-laki|lelaki|pria|bapak|anak|remaja|pemuda|pemudi|warga|aktivis|"
    "petani|nelayan|jurnalis|wartawan|mahasiswa|mahasiswi|woman|man|girl|boy|activist|farmer"
)

#: Read in lower case.
_LOW = (
    (
        Kind.EMAIL,
        rf"(?<![\w.+%-])[\w.+%-]{{1,64}}(?:{_AT}|\sat\s)[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,6}}",
    ),
    (Kind.LINK, rf"{_BEGINS}(?:[a-z][a-z0-9+.-]{{1,15}}://|www\.)[^\s\x00<>\"]{{2,}}"),
    (
        Kind.LINK,
        rf"(?<![\w.@-])(?:[\w-]{{1,63}}\.){{1,6}}(?:{_TOP_LEVELS})(?![\w-])(?:[/?#:][^\s\x00<>\"]*)?",
    ),
    (Kind.HANDLE, r"(?<![\w.+%-])@[\w.]{2,64}"),
    (Kind.HANDLE, rf"{_BEGINS}(?:{_NETWORKS})\s?[:=]\s?[\w.]{{3,64}}"),
    (
        Kind.COORDINATES,
        rf"(?<![\w.])(?:[ns]\s?)?{_DECIMAL}°?\s?[a-z]{{0,2}}[\s,;/]{{1,3}}(?:[ew]\s?)?{_DECIMAL}(?![0-9])",
    ),
    (
        Kind.COORDINATES,
        rf"{_BEGINS}(?:lat|latitude|lintang|lon|long|lng|longitude|bujur)[\s:=]{{1,3}}"
        r"-?[0-9]{1,3}[.,][0-9]+",
    ),
    # In degrees: minutes and seconds, or a side, must follow, else it may be a temperature.
    (
        Kind.COORDINATES,
        r"(?<![\w.])[0-9]{1,3}(?:[.,][0-9]+)?\s?°\s?(?:[0-9]{1,2}(?:[.,][0-9]+)?\s?'{1,2}\s?"
        rf"(?:[0-9]{{1,2}}(?:[.,][0-9]+)?\s?[\"']{{1,2}}\s?)?{_SIDE}?|{_SIDE}){_ENDS}",
    ),
    (Kind.COORDINATES, rf"{_BEGINS}{_PLUS_CODE}{{4,8}}\+{_PLUS_CODE}{{2,3}}{_ENDS}"),
    (Kind.NUMBER, rf"{_BEGINS}[a-z]{{1,2}}[0-9]{{6,8}}{_ENDS}"),  # passports
    (Kind.REFERENCE, rf"{_BEGINS}{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}{_ENDS}"),
    (Kind.REFERENCE, rf"{_BEGINS}[a-z]{{2,4}}-(?:19|20)[0-9]{{2}}-[0-9]{{2,6}}{_ENDS}"),
    # Of a police report, a court's docket or a letter: three or more parts, figures in one.
    (
        Kind.REFERENCE,
        r"(?<![\w/.])(?=[a-z./-]{0,24}[0-9])(?=[0-9./-]{0,24}[a-z])"
        r"[a-z0-9.-]{1,16}(?:/[a-z0-9.-]{1,16}){2,8}",
    ),
    (
        Kind.PLATE,
        rf"{_BEGINS}(?:plat|nopol|no\.?\s?pol\.?|nomor polisi|licen[cs]e plate)[\s:.]{{0,3}}"
        rf"(?:nomor\s|no\.?\s)?[a-z]{{1,2}}[\s.-]?[0-9]{{1,4}}(?:[\s.-]?[a-z]{{1,3}}{_ENDS})?",
    ),
    (Kind.PLATE, rf"{_BEGINS}(?:{_REGION})[0-9]{{1,4}}[a-z]{{1,3}}{_ENDS}"),
    (
        Kind.AGE,
        rf"{_BEGINS}(?:ber)?(?:umur|usia)(?:nya)?[\s:]{{1,3}}(?:sekitar\s|kira-kira\s)?"
        r"(?:[0-9]{1,3}|[a-z]{2,8}\s?(?:puluh|belas)(?:\s[a-z]{3,8})?|sepuluh|sebelas)",
    ),
    (Kind.AGE, rf"{_BEGINS}[0-9]{{1,3}}[\s-]{{0,2}}(?:years?|yrs?)[\s-]{{0,2}}old"),
    (Kind.AGE, rf"{_BEGINS}aged\s[0-9]{{1,3}}(?![0-9])"),
    # Budi (41), as papers write.
    (Kind.AGE, r"(?<=\()(?:1[3-9]|[2-9][0-9])(?:\s?(?:tahun|thn|th)\.?)?(?=\))"),
    (
        Kind.AGE,
        rf"{_BEGINS}(?:{_SOMEBODY})[\s,(]{{1,3}}(?:of\s)?(?:1[3-9]|[2-9][0-9])"
        rf"(?:\s?(?:tahun|thn|th){_ENDS}|(?=[\s,.;:)]|$))(?!\s(?:orang|jiwa|people))",
    ),
    (
        Kind.PHONE,
        rf"{_BEGINS}(?:telepon|telpon|telp|tlp|telephone|phone|hp|wa|whatsapp|faks|fax)"
        r"(?:\s(?:rumah|kantor|nomor|no))?[\s.:]{1,3}[0-9](?:[ .-]?[0-9]){4,}",
    ),
    (
        Kind.COORDINATES,
        rf"{_BEGINS}[0-9]{{1,3}}\s?(?:derajat|degrees?)(?:\s[0-9]{{1,2}}\s?(?:menit|minutes?)|"
        rf"\s?{_SIDE}){_ENDS}",
    ),
    (
        Kind.ADDRESS,
        rf"{_BEGINS}r[tw]\.?\s?[0-9]{{1,3}}(?:\s?/\s?(?:rw\.?\s?)?[0-9]{{1,3}})?{_ENDS}",
    ),
    (
        Kind.ADDRESS,
        rf"jl(?<![^\W_]jl)n?[.\s]{{1,3}}[a-z]{{3,20}}(?:\s?(?:no|nomor)?[.\s]{{1,2}}[0-9]{{1,4}})?{_ENDS}",
    ),
    # Of a form that was pasted; a pattern that begins with letters takes less time.
    (
        Kind.NAME,
        r"nama(?<![^\W_]nama)(?:\s[a-z]{3,12}){0,2}\s{0,3}:\s{0,3}[^\s\x00,;:()\[\]]{2,20}"
        r"(?:\x20[^\s\x00,;:()\[\]]{1,20}){0,4}",
    ),
    (
        Kind.ADDRESS,
        r"alamat(?<![^\W_]alamat)(?:\s[a-z]{3,12}){0,2}\s{0,3}:\s{0,3}[^\n\x00;\[\]]{3,100}",
    ),
    (
        Kind.BIRTH,
        r"(?<![^\W_])(?:ttl|tempat.{1,5}(?:tgl|tanggal)\.?\s?lahir)\s{0,3}[:\s]\s{0,3}[a-z]{2,20}"
        r"[,\s/]{1,3}[0-9][^\n\x00;\[\]]{0,20}",
    ),
)
#: With stars for letters, as papers do: who knows the person reads it.
_STARRED = re.compile(
    r"(?<![\w*•])[^\W\d_]{1,16}(?:[*•]{1,16}[^\W\d_]|[*•]{2}|_{2,16}[^\W\d_])[\w*•]*"
)
#: Read with its capitals.
_CASED = (
    (
        Kind.PLATE,
        rf"{_BEGINS}(?:{_REGION.upper()})[ .-]?[0-9]{{1,4}}[ .-]?[A-Z]{{1,3}}{_ENDS}",
    ),
    # The papers' way not to name somebody, which names them to who knows them.
    (
        Kind.NAME,
        rf"{_BEGINS}(?:[Bb]er)?[Ii]nisial(?:nya)?[\s:]{{1,3}}[\"'(]?(?:[A-Z]\.?){{1,5}}{_ENDS}",
    ),
    (Kind.NAME, rf"(?<![\w.])(?:[A-Z]\.){{2,4}}(?:[A-Z]{_ENDS})?{_ENDS}"),
    # A street or a village, where all that may be told is the province.
    (
        Kind.ADDRESS,
        rf"{_BEGINS}(?:[Jj]l|[Jj]ln|[Jj]alan|[Gg]g|[Gg]ang|[Dd]esa|[Dd]usun|[Kk]ampung|[Kk]p|[Kk]el|"
        r"[Kk]elurahan|[Nn]agari|[Gg]ampong|[Bb]anjar|[Kk]ec|[Kk]ecamatan|[Pp]erumahan|[Dd]s|"
        r"[Pp]olsek|[Kk]oramil|[Pp]uskesmas)(?:\.\s{0,2}|\s{1,2})"
        r"[A-Z][\w'-]*(?:\s(?!No)[A-Z][\w'-]*){0,3}(?:,?\s[Nn]o(?:mor)?\.?\s?[0-9]{1,4})?",
    ),
)
_LOW_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _LOW)
_CASED_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _CASED)
#: At the end of what was found, of the sentence and not of it.
_AFTER = ".,;:!?"

#: Before or after a number that counts things or money.
_MONEY = re.compile(r"(?:rp|idr|usd|us\$|\$|rupiah|sebesar|senilai)[\s.:]{0,3}$")
_COUNTED = re.compile(
    r"[\s,]{0,2}(?:,-|rupiah|ribu|juta|miliar|milyar|triliun|orang|jiwa|warga|suara|hektare|"
    rf"hektar|ha|meter|m2|km|kg|ton|persen|people){_ENDS}"
)
_AGE_AFTER = re.compile(
    rf"[\s,(]{{1,3}}(?P<age>(?:1[3-9]|[2-9][0-9])(?:\s?(?:tahun|thn|th|years?|yrs?){_ENDS}|(?=[),])))"
)
#: From a year, or an hour, to another.
_FROM_TO = re.compile(
    r"(?:19|20)[0-9]{2}\D{1,3}(?:19|20)[0-9]{2}|"
    r"[0-2]?[0-9]\.[0-5][0-9]\s?-\s?[0-2]?[0-9]\.[0-5][0-9]"
)
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+")
_SIXTEEN = 16  # digits of a NIK and of a family card
_ACCOUNT_LEAST = 8  # digits; the shortest numbers of bank accounts in use have 10
_PHONE_LEAST, _PHONE_MOST = 9, 16  # digits, with a country code


def identifying(reading: Reading) -> Iterator[tuple[int, int, Kind]]:
    """Yield what identifies somebody whoever they are, as places of `reading.low`."""
    for kind, pattern in _LOW_PATTERNS:
        for found in pattern.finditer(reading.low):
            yield found.start(), found.start() + len(found[0].rstrip(_AFTER)), kind
    for kind, pattern in _CASED_PATTERNS:
        for found in pattern.finditer(reading.cased):
            yield *found.span(), kind
    if any(stars in reading.low for stars in ("*", "•", "__")):
        for found in _STARRED.finditer(reading.low):
            yield *found.span(), Kind.NAME
    yield from _numbers(reading)
    if not reading.low.isascii():
        # A word of another script, or of two: it may be anybody's name, in a spelling that
        # nothing here reads.
        for word in reading.words:
            if not word.raw.isascii():
                yield word.start, word.end, Kind.OTHER


def ages_after(reading: Reading, names: Iterable[int]) -> Iterator[tuple[int, int, Kind]]:
    """Yield the age that follows a name, which ends at each of *names*: Budi, 41 tahun."""
    for end in names:
        age = _AGE_AFTER.match(reading.low, end)
        if age is not None:
            yield *age.span("age"), Kind.AGE


def _numbers(reading: Reading) -> Iterator[tuple[int, int, Kind]]:
    low = reading.low
    for digits in reading.numbers:
        start, end = digits.starts[0], digits.ends[-1]
        count = len(digits.text)
        if count < _ACCOUNT_LEAST or _FROM_TO.fullmatch(low, start, end):
            continue
        before = low[max(0, start - 1) : start]
        dialled = before == "+" or digits.text.startswith(("0", "62"))
        if count == _SIXTEEN:
            kind = Kind.NUMBER
        elif dialled and _PHONE_LEAST <= count <= _PHONE_MOST:
            kind = Kind.PHONE
        elif _MONEY.search(low[max(0, start - 14) : start]) or (
            _THOUSANDS.fullmatch(low, start, end) and _COUNTED.match(low, end)
        ):
            continue
        else:
            kind = Kind.ACCOUNT
        opened = before == "+" or (before == "(" and ")" in low[start:end])
        yield start - opened, end, kind
