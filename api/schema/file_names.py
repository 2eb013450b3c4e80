"""The name of a file in a header: RFC 8187 in requests, RFC 6266 in answers."""

import re
from urllib.parse import quote, unquote

from api.errors import AttachmentMalformed

#: ext-value of RFC 8187, 3.2.1, in UTF-8 only, with no language.
_EXTENDED = re.compile(r"(?:utf-8'')((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-Fa-f]{2})+)", re.IGNORECASE)

#: What may stand for itself in an ext-value (RFC 8187, attr-char), beside letters and digits.
_ATTRIBUTE = "!#$&+-.^_`|~"

#: What a quoted file name in clear ASCII may keep; a backslash or percent sign in one is
#: read in different ways (RFC 6266, appendix D).
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._-]")


def read_name(header: str) -> str:
    """Read the name in a request's header, `UTF-8''` and percent-encoded.

    Raises:
        AttachmentMalformed: it is not of that form, or no UTF-8.
    """
    found = _EXTENDED.fullmatch(header)
    if found is None:
        raise AttachmentMalformed
    try:
        return unquote(found[1], encoding="utf-8", errors="strict")
    except UnicodeDecodeError:
        raise AttachmentMalformed from None


def disposition(name: str) -> str:
    """Say that an answer is a file to keep, called *name*, and never a page to show."""
    plain = _UNSAFE.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_ATTRIBUTE)}"
