"""Characters as an eye reads them: without marks, and each look-alike as the letter it passes for.

What Unicode itself folds (full width, mathematical, circled letters; digits of other scripts)
is left to `unicodedata`; the table is of letters of other scripts that are drawn alike, after
the confusables of Unicode Technical Standard 39. It compares and never writes.
"""

import unicodedata
from functools import lru_cache

#: Letter -> what looks like it.
_ALIKE = {
    "a": "аɑαᴀꭺᎪꓮⲀΑА",
    "b": "ЬьƄƅвВΒʙᏴꓐᏏᛒƀɓ",
    "c": "сСϲϹᴄⅽⲤⲥᏟꓚƈ",
    "d": "ԁԀᏧᎠᗞꓓɗđᴅ",
    "e": "еЕεΕєҽᴇᎬꓰⲈ℮ə",
    "f": "ϝƒſꓝᖴẝ",
    "g": "ɡɢԌԍᏀꓖցǥɠ",
    "h": "һнНΗһʜᎻꓧհⲎħ",
    "i": "іІıιΙɩɪӏӀᎥꙇꓲⲒℹɨ",
    "j": "јЈϳᎫꓙյɉȷᴊ",
    "k": "кКκΚᴋᏦꓗⲔƙ",
    "l": "ⅼʟᏞꓡⳐℓłɭ",
    "m": "мМΜᴍᎷꓟⲘϻɱ",
    "n": "ΝոռɴꓠⲚпηŋɲ",
    "o": "оОοΟօσⲟⲞᴏꓳөӨøɵ",
    "p": "рРρΡᴘᏢꓑⲢⲣƥ",
    "q": "ԛԚգզ",
    "r": "гᴦʀᏒꓣⲅɍɾ",
    "s": "ѕЅꜱᏚꓢՏʂ",
    "t": "тТτΤᴛᎢꓔⲦŧƭ",
    "u": "υսᴜꓴՍʋц",
    "v": "νѵѴᴠᏙꓦⅴ",
    "w": "ѡԝԜᴡᎳꓪшωա",
    "x": "хХχΧⅹꓫⲬ᙭",
    "y": "уУүҮγΥʏᎩꓬⲨɣ",
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
    folded = []
    # Twice, since some foldings bring marks of their own.
    for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char)):
        kind = unicodedata.category(part)
        if kind in ("Mn", "Me", "Cf") or (kind == "Cc" and not part.isspace()):
            continue
        if kind == "Nd":
            folded.append(str(unicodedata.digit(part)))
        elif part in _LETTER:
            letter = _LETTER[part]
            folded.append(letter.upper() if part.isupper() else letter)
        else:
            folded.append(part)
    return "".join(folded)
