"""Characters as an eye reads them: without marks, and each look-alike as the letter it passes for.

What Unicode itself folds (full width, mathematical, circled letters; digits of other scripts)
is left to `unicodedata`; the table is of letters of other scripts that are drawn alike, after
the confusables of Unicode Technical Standard 39. It compares and never writes.
"""

import re
import unicodedata
from functools import lru_cache

#: Letter -> what looks like it.
_ALIKE = {
    "a": "⍺ᗅаɑαᴀꭺᎪꓮⲀΑА",
    "b": "ᑲᖯᗷЬьƄƅвВΒʙᏴꓐᏏᛒƀɓ",
    "c": "сСϲϹᴄⅽⲤⲥᏟꓚƈ",
    "d": "ᑯᗪԁԀᏧᎠᗞꓓɗđᴅ",
    "e": "еЕεΕєҽᴇᎬꓰⲈ℮ə",
    "f": "ϝƒſꓝᖴẝ",
    "g": "ɡɢԌԍᏀꓖցǥɠ",
    "h": "ᏂᕼһнНΗһʜᎻꓧհⲎħ",
    "i": "іІıιΙɩɪӏӀᎥꙇꓲⲒℹɨ",
    "j": "ͿᒍјЈϳᎫꓙյɉȷᴊ",
    "k": "ᛕкКκΚᴋᏦꓗⲔƙ",
    "l": "ⅼʟᏞꓡⳐℓłɭ",
    "m": "ᗰмМΜᴍᎷꓟⲘϻɱ",
    "n": "ΝոռɴꓠⲚпηŋɲ",
    "o": "〇ჿⵔоОοΟօσⲟⲞᴏꓳөӨøɵ",
    "p": "⍴ᑭрРρΡᴘᏢꓑⲢⲣƥ",
    "q": "ԛԚգզ",
    "r": "ꭇᖇᎡгᴦʀᏒꓣⲅɍɾ",
    "s": "ᏕѕЅꜱᏚꓢՏʂ",
    "t": "тТτΤᴛᎢꓔⲦŧƭ",
    "u": "ꞟᑌ∪υսᴜꓴՍʋц",
    "v": "ᐯ∨νѵѴᴠᏙꓦⅴ",
    "w": "ѡԝԜᴡᎳꓪшωա",
    "x": "×ⵝхХχΧⅹꓫⲬ᙭",
    "y": "ყᎽуУүҮγΥʏᎩꓬⲨɣ",
    "z": "ΖᴢᏃꓜⲌʐƶ",
    "'": "`´‘’‛ʹʻʼʽʾʿˈ′＇",
    "°": "º˚",
    "-": "‐‑‒–—―−⁃",
    "ss": "ß",
    "ae": "æÆ",
    "oe": "œŒ",
    "th": "þÞ",
}
_LETTER = {alike: letter for letter, others in _ALIKE.items() for alike in others}

#: Of letters that Unicode does not fold: with a stroke or hook, in boxes, of flags.
_LETTER_NAMED = re.compile(
    r"(?:.* )?(?:LATIN .*LETTER (?:SMALL CAPITAL )?|INDICATOR SYMBOL LETTER )([A-Z])(?: WITH .*)?"
)
#: Invisible copies of ASCII, which could carry a text that nobody sees.
_TAGS = range(0xE0020, 0xE007F)

#: They show nothing, and Unicode calls them letters or symbols.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5")


@lru_cache(maxsize=4096)
def seen(char: str) -> str:
    """Give what an eye reads in place of one character: letters, a digit, or nothing at all.

    Upper case stays where the look-alike is an upper-case letter. Control characters other
    than line breaks and tabs are nothing, too.
    """
    if char in _LETTER:
        letter = _LETTER[char]
        return letter.upper() if char.isupper() else letter
    if char in _BLANK:
        return ""
    if ord(char) in _TAGS:
        return chr(ord(char) - 0xE0000)
    folded = []
    # Twice, since some foldings bring marks of their own.
    for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char)):
        kind = unicodedata.category(part)
        if kind in ("Mn", "Me", "Cf") or (kind == "Cc" and not part.isspace()):
            continue
        if kind in ("Nd", "No") and (digit := unicodedata.digit(part, None)) is not None:
            folded.append(str(digit))
        elif part in _LETTER:
            letter = _LETTER[part]
            folded.append(letter.upper() if part.isupper() else letter)
        elif not part.isascii() and (named := _LETTER_NAMED.fullmatch(unicodedata.name(part, ""))):
            folded.append(named[1] if "CAPITAL LETTER" in named[0] else named[1].lower())
        else:
            folded.append(part)
    return "".join(folded)
