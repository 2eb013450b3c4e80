"""The spelling of Indonesian names: one folded form for all spellings of one name.

Folding is for comparing only. It is coarse on purpose (Joko and Yoko fold together,
since Jusuf is Yusuf): a spelling that is missed costs more than one match too many,
which a person looks through. Folding a folded name changes nothing.
"""

import re
import unicodedata

#: Replaced one after the other, until nothing changes: old spelling (before 1972),
#: then letters that are used for each other, above all in names from Arabic.
_LETTERS = (
    ("oe", "u"),  # Soekarno, Sukarno
    ("tj", "c"),  # Tjipto, Cipto
    ("dj", "j"),  # Djoko, Joko
    ("j", "y"),  # Jusuf, Yusuf; and so Joko becomes yoko
    ("chr", "kr"),  # Christina, Kristina
    ("ch", "h"),  # Achmad, Akhmad, Ahmad
    ("kh", "h"),
    ("sh", "s"),  # Shaleh, Saleh
    ("sy", "s"),  # Sjamsul, Syamsul, Samsul
    ("th", "t"),  # Thamrin, Tamrin
    ("dh", "d"),  # Ridho, Rido
    ("bh", "b"),  # Bhakti, Bakti
    ("dz", "z"),  # Dzulkifli, Zulkifli
    ("ph", "f"),
    ("v", "f"),  # Novi, Nofi
    ("z", "s"),  # Rizki, Riski
    ("q", "k"),  # Rizqi, Rizki
    ("x", "ks"),
    ("ae", "ai"),  # Saeful, Saiful
    ("ie", "i"),  # Arief, Arif
)
_DOUBLED = re.compile(r"(\w)\1+")
_FINAL_Y = re.compile(r"y\b")  # Rizky, Rizki
_FINAL_P = re.compile(r"p\b")  # Yusup, Yusuf
_NOT_LETTERS = re.compile(r"[\W_]+")
_APOSTROPHES = str.maketrans("", "", "'`´‘’ʼʻʿʾ")
_DOTTED = re.compile(r"[a-z]{1,5}(?:\.[a-z]{1,6})+\.?")
_ALIAS = re.compile(r"\s(?:alias\b|als\b\.?|a\.k\.a\b\.?|dikenal\ssebagai\b)|\s@\s|[()\"“”;]")


def _fold_letters(text: str) -> str:
    while True:
        before = text
        for old, new in _LETTERS:
            if old in text:
                text = text.replace(old, new)
        text = _FINAL_P.sub("f", _FINAL_Y.sub("i", _DOUBLED.sub(r"\1", text)))
        if text == before:
            return text


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _words(text: str) -> frozenset[str]:
    """Return the words as they are and folded, so that old spellings are known too."""
    return _set(text) | _set(_fold_letters(text))


#: Before a name; one alone is a name.
_TITLES = _words(
    "h haji hi hj hajjah dr drg drh drs dra ir prof kh kha tgh tgkh ust ustad ustadz ustaz "
    "ustadzah ustazah kyai kiai nyai ra rr raden adv pdt pendeta pastor romo suster bapak bpk "
    "pak ibu bu sdr sdri saudara saudari tn ny nn tuan nyonya nona mr mrs ms"
)
#: Degrees, compact. The short ones are names or initials too: they need a dot or a comma.
_DEGREES = _set(
    "sh mh shi mhi shum mhum spd mpd spdi mpdi ssos msos sip mip skom mkom skm mkm skep sked "
    "skg spsi mpsi sag mag sfarm sth mth ssi msi mkn phd llb llm mba mph msc bsc amd amdkeb"
)
_SHORT_DEGREES = _DEGREES | _set(
    "st mt se me mm ma ba sp mp spt ss lc md ners ns apt cn sc spog span spb spk"
)
_KINSHIP = frozenset(("bin", "binti", "binte", "bt", "bte"))
_PARTICLES = frozenset(("i", "ni"))  # Balinese, of a man and of a woman
#: Balinese order names; the second group means that only where a particle stands before.
_ORDER = {
    "wy": "wayan",
    "wi": "wayan",
    "wyn": "wayan",
    "nym": "nyoman",
    "kmg": "komang",
    "kdk": "kadek",
    "ktt": "ketut",
    "gde": "gede",
}
_ORDER_AFTER_PARTICLE = {"md": "made", "kd": "kadek", "kt": "ketut", "pt": "putu", "gd": "gede"}
_MUHAMMAD = _words(
    "muhammad mohammad mochammad muchammad mukhammad mokhammad moehammad moechammad mohamed "
    "muhammed mohammed muhamet mohamet muhamat mohd muhd mhd md moh moch much muh"
) - frozenset("m")

#: Tokens so common that they say little about who it is.
COMMON = _set("muhamad wayan made nyoman ketut putu kadek komang gede luh siti sri nur ahmad abdul")


def names_in(text: str) -> list[str]:
    """Split "X alias Y" into its names; a text without an alias is one name."""
    return [part for part in _ALIAS.split(f" {text}".casefold()) if part.strip()]


def plain(name: str) -> str:
    """Return *name* in lower case without diacritics and marks, its spelling untouched."""
    return " ".join(_NOT_LETTERS.sub(" ", _letters(name)).split())


def bare(name: str) -> str:
    """Return *name* without titles and degrees, its spelling untouched."""
    return " ".join(_bare_tokens(name)[0])


def fold(name: str) -> str:
    """Return the folded form: tokens with one space between; empty where no letter is left."""
    tokens, particle = _bare_tokens(name)
    tokens, second = _without_titles(_fold_letters(" ".join(tokens)).split())
    if particle or second:
        tokens = [_ORDER_AFTER_PARTICLE.get(token, token) for token in tokens]
    tokens = ["muhamad" if token in _MUHAMMAD else _ORDER.get(token, token) for token in tokens]
    if len(tokens) > 1 and tokens[0] == "m":
        tokens[0] = "muhamad"
    return " ".join(tokens)


def fold_letters(word: str) -> str:
    """Return *word*, in plain lower case, with its letters folded, whatever it means."""
    return _fold_letters(word)


def written_for(name: str) -> frozenset[str]:
    """Return what is written in place of a folded *name* of one word: Muh. for Muhammad."""
    if name == "muhamad":
        return _MUHAMMAD
    shorts = (*_ORDER.items(), *_ORDER_AFTER_PARTICLE.items())
    return frozenset(short for short, full in shorts if full == name)


def _bare_tokens(name: str) -> tuple[list[str], bool]:
    text = _letters(name)
    if "." in text or "," in text:
        text = _without_degrees(text)
    return _without_titles(_NOT_LETTERS.sub(" ", text).split())


def _letters(name: str) -> str:
    if not name.isascii():
        # Twice: casefold undoes some of what the first NFKD did.
        name = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
        name = "".join(char for char in name if not unicodedata.combining(char))
    return name.lower().translate(_APOSTROPHES)


def _without_degrees(text: str) -> str:
    """Drop titles and degrees that a dot or a comma gives away (K.H., S.Sos)."""
    head, *rest = text.split(",")
    words = head.split()
    kept = []
    for place, word in enumerate(words):
        compact = word.replace(".", "")
        title = compact in _TITLES or (place > 0 and compact in _SHORT_DEGREES)
        if not ("." in word.rstrip(".") and title):
            kept.append(word)
    kept += [
        word
        for word in " ".join(rest).split()
        if not _DOTTED.fullmatch(word) and word.replace(".", "") not in _SHORT_DEGREES
    ]
    return " ".join(kept or words)


def _without_titles(tokens: list[str]) -> tuple[list[str], bool]:
    """Drop degrees, kinship words, titles and particles; at least one token stays.

    Returns what stays, and whether a Balinese particle went.
    """
    tokens = [token for token in tokens if token not in _KINSHIP] or tokens[-1:]
    end = len(tokens)
    while end > 1 and tokens[end - 1] in _DEGREES:
        end -= 1
    start = 0
    while start < end - 1 and (tokens[start] in _TITLES or tokens[start] in _PARTICLES):
        start += 1
    return tokens[start:end], not _PARTICLES.isdisjoint(tokens[:start])
