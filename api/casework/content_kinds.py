"""What kind of file the first bytes of an attachment are; a client's word counts for nothing.

A list of kinds that are kept, all of them inert: no program, no script, no page that
a browser runs, no archive in which one could hide. What is on no list is refused.
"""

import re
from collections.abc import Mapping

import puremagic

from api.errors import AttachmentRefused

#: Bytes of the beginning that are looked at: signatures stand in the first few hundred,
#: the names of the parts of an office document in the first few thousand.
HEAD = 64 * 1024

#: Media type -> the extensions of its files, the usual one first.
EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "application/pdf": ("pdf",),
    "application/vnd.oasis.opendocument.presentation": ("odp",),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods",),
    "application/vnd.oasis.opendocument.text": ("odt",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("pptx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "audio/amr": ("amr",),
    "audio/flac": ("flac",),
    "audio/mp4": ("m4a",),
    "audio/mpeg": ("mp3",),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/wav": ("wav",),
    "image/gif": ("gif",),
    "image/heic": ("heic", "heif"),
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png",),
    "image/tiff": ("tif", "tiff"),
    "image/webp": ("webp",),
    "text/plain": ("txt", "csv", "json", "log", "md", "srt", "vtt"),
    "video/3gpp": ("3gp", "3gpp", "3g2"),
    "video/mp4": ("mp4", "m4v"),
    "video/quicktime": ("mov", "qt"),
    "video/webm": ("webm",),
    "video/x-matroska": ("mkv",),
    "video/x-msvideo": ("avi",),
}

#: The usual extension -> media type. It is the extension that is sealed: media types are
#: so different in length that a sealed one would tell an office document from a picture.
MEDIA_TYPES: Mapping[str, str] = {e[0]: kind for kind, e in EXTENSIONS.items()}

#: What is told of a kind that was kept once and is on the list no more.
UNKNOWN = "application/octet-stream"

#: Extension as puremagic gives it -> our media type. Its own types differ between
#: entries of one format, and some are empty. Zip is not here: see `_office`.
_BY_EXTENSION: Mapping[str, str] = {
    **{
        f".{extension}": kind
        for kind, extensions in EXTENSIONS.items()
        for extension in extensions
        if kind != "text/plain" and not kind.startswith("application/vnd.")
    },
    ".3ga": "video/3gpp",
    ".f4a": "audio/mp4",
    ".mpga": "audio/mpeg",
}

#: How programs and what starts them begin: Windows, ELF, Mach-O and Java, Android,
#: WebAssembly, scripts, shortcuts, compiled help, PostScript, and what may hold other
#: objects or macros: RTF and OLE (old office files and installers).
_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"dex\n",
    b"\x00asm",
    b"#!",
    b"L\x00\x00\x00\x01\x14\x02\x00",
    b"ITSF",
    b"%!",
    b"{\\rtf",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
)

#: What a browser, a web server or a desktop would run, anywhere in a text.
_MARKUP = re.compile(
    r"<(!doctype|html|head|body|script|svg|iframe|object|embed|form|link|meta|\?xml|\?php|%)"
    r"|javascript:|^\s*\[(desktop entry|internetshortcut)\]",
    re.IGNORECASE,
)

_ZIP = b"PK\x03\x04"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_OFFICE_OPEN = "application/vnd.openxmlformats-officedocument."
_PARTS = {
    b"word/": _OFFICE_OPEN + "wordprocessingml.document",
    b"xl/": _OFFICE_OPEN + "spreadsheetml.sheet",
    b"ppt/": _OFFICE_OPEN + "presentationml.presentation",
}
_MACROS = (b"vbaProject", b"Basic/", b"Scripts/", b"META-INF/MANIFEST.MF")


def kind_of(head: bytes) -> str:
    """Tell the media type of content that begins with *head* (HEAD bytes, or all of it).

    Raises:
        AttachmentRefused: of no kind that is kept.
    """
    if not head or (head.startswith(_PROGRAMS) and not head.startswith(b"#!AMR\n")):
        raise AttachmentRefused
    if head.startswith(_ZIP):
        return _office(head)
    # A text first: many signatures are two letters, and a text may begin with any.
    text = _text(head)
    if text is not None and not head.startswith(b"%PDF-"):
        if _MARKUP.search(text):
            raise AttachmentRefused
        return "text/plain"
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):  # ValueError: what it cannot look at.
        raise AttachmentRefused from None
    for match in found:  # The most certain first.
        if match.extension in _BY_EXTENSION:
            return _BY_EXTENSION[match.extension]
    raise AttachmentRefused


def file_name_for(name: str, media_type: str) -> str:
    """Give *name*, so extended that nothing takes the file for another kind than it is."""
    fitting = EXTENSIONS[media_type]
    _, dot, extension = name.rpartition(".")
    if dot and extension.lower() in fitting:
        return name
    return f"{name}.{fitting[0]}"


def _text(head: bytes) -> str | None:
    """Read *head* as text; None: it is none."""
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    if encoding == "utf-16" and len(head) % 2:
        head = head[:-1]
    for cut in range(4):  # The head may end within a character.
        try:
            text = head[: len(head) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        printable = all(c.isprintable() or c in "\t\n\r\f\x1b" or ord(c) > 127 for c in text)
        return text if text and printable else None
    return None


def _office(head: bytes) -> str:
    """Tell the kind of an office document by its first parts; any other zip is refused.

    A zip names each part in front of its bytes, and these formats say which comes first.
    """
    name_size, extra_size = int.from_bytes(head[26:28], "little"), head[28:30]
    first = head[30 : 30 + name_size]
    content = head[30 + name_size + int.from_bytes(extra_size, "little") :]
    if any(word in head for word in _MACROS):
        raise AttachmentRefused
    if first == b"mimetype":
        for kind in EXTENSIONS:
            # Of OpenDocument, never a template or a formula that begins alike.
            if kind.startswith(_OPEN_DOCUMENT) and content.startswith(kind.encode() + b"PK"):
                return kind
    elif first in (b"[Content_Types].xml", b"_rels/.rels"):
        for part, kind in _PARTS.items():
            if part in head:
                return kind
    raise AttachmentRefused
