"""Trusted documents: texts that the operator admitted for one face, named by their SHA-256.

They lie in a folder of the face, one file for each document, whose name is the hash of its
bytes: `sha256sum` tells whether it is what was admitted. All are read, checked and prepared
before the first request; a request names one by its hash (GraphQL over HTTP, working draft,
appendix A, "SHA256 Hex Document Identifier"), and costs no parsing.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode

from api.errors import DocumentRefused, DocumentUnknown, RefusesToStart
from api.schema.documents import Documents, DocumentWithProblems
from api.schema.faces import schema_of
from api.schema.weight import weigh

#: What a client puts before the hash.
PREFIX = "sha256:"

_SUFFIX = ".graphql"
_FILE_NAME = re.compile(r"[0-9a-f]{64}" + re.escape(_SUFFIX))


class NotAdmitted(RefusesToStart):
    """A text that cannot be a trusted document. The sentence holds names of it, no value."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """One document that may be executed.

    Attributes:
        hash: SHA-256 of the text's bytes, 64 hexadecimal digits in lower case.
        name: of its one operation.
    """

    hash: str
    name: str
    document: DocumentNode = field(repr=False)


class TrustedDocuments:
    """The trusted documents of one face."""

    def __init__(self, schema: GraphQLSchema) -> None:
        """Start with none."""
        self._documents = Documents(schema)
        self._trusted: dict[str, DocumentNode] = {}

    @classmethod
    def of(cls, face: str) -> "TrustedDocuments":
        """Start with none, for the schema of *face*."""
        return cls(schema_of(face)._schema)

    def read(self, folder: Path) -> None:
        """Admit every document in *folder*.

        Raises:
            RefusesToStart: a file is no document, is not what its name says, or does not fit;
                it names the file.
        """
        for path in files(folder):
            try:
                self.admit(text_at(path))
            except NotAdmitted:
                raise RefusesToStart(
                    f"The trusted document {path} does not fit its face. "
                    "`perisai documents check` says why."
                ) from None

    def admit(self, text: bytes) -> Trusted:
        """Check *text* as a trusted document, and take it from now on.

        Raises:
            NotAdmitted: it does not fit, is over a limit, asks about the schema, or is not
                one operation with a name.
        """
        trusted = self.checked(text)
        self._trusted[trusted.hash] = trusted.document
        return trusted

    def checked(self, text: bytes) -> Trusted:
        """Check *text* as `admit` does, and take nothing."""
        try:
            document = self._documents.checked(text.decode("utf-8"))
        except UnicodeDecodeError:
            raise NotAdmitted("It is not UTF-8.") from None
        except DocumentRefused:
            raise NotAdmitted("It is over a limit: see docs/clients/README.md.") from None
        except DocumentWithProblems as error:
            raise NotAdmitted(_said(error)) from None
        operations = [
            one for one in document.definitions if isinstance(one, OperationDefinitionNode)
        ]
        if len(operations) != 1:
            raise NotAdmitted(f"It has {len(operations)} operations: one document has one.")
        [operation] = operations
        if operation.name is None:
            raise NotAdmitted("Its operation has no name.")
        if weigh(document, None, None).introspects:
            raise NotAdmitted("It asks about the schema.")
        return Trusted(hash_of(text), operation.name.value, document)

    def document(self, document_id: str) -> DocumentNode:
        """Give the document that a request names, fit to be executed.

        Raises:
            DocumentUnknown: none was admitted under *document_id*.
        """
        prefix, _, digest = document_id.partition(":")
        document = self._trusted.get(digest)
        if document is None or f"{prefix}:" != PREFIX:
            raise DocumentUnknown
        return document


def hash_of(text: bytes) -> str:
    """Give the SHA-256 of *text*: 64 hexadecimal digits in lower case."""
    return hashlib.sha256(text).hexdigest()


def files(folder: Path) -> Iterator[Path]:
    """Name the files of the documents in *folder*, in order; none where it is not there.

    Hidden files are passed over: an editor's, or those of a `store` that was cut off.

    Raises:
        RefusesToStart: something else is in it, which somebody may take for a document.
    """
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError:
        raise RefusesToStart(f"{folder}, a folder of trusted documents, cannot be read.") from None
    for path in found:
        if path.name.startswith("."):
            continue
        if not _FILE_NAME.fullmatch(path.name):
            raise RefusesToStart(
                f"{path} is no trusted document: a file's name is the SHA-256 of its bytes. "
                "Take it away, or have `perisai documents add` admit it."
            )
        yield path


def text_at(path: Path) -> bytes:
    """Read the document at *path*.

    Raises:
        RefusesToStart: it cannot be read, or its bytes are not those that its name says.
    """
    try:
        text = path.read_bytes()
    except OSError:
        raise RefusesToStart(f"The trusted document {path} cannot be read.") from None
    if hash_of(text) != path.name.removesuffix(_SUFFIX):
        raise RefusesToStart(f"The trusted document {path} was changed: its hash is another.")
    return text


def store(folder: Path, text: bytes) -> bool:
    """Put *text* into *folder*, as a whole or not at all; False: it is there already."""
    path = folder / f"{hash_of(text)}{_SUFFIX}"
    if path.exists():
        text_at(path)  # Else a changed file would pass for what is to be added.
        return False
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).rename(path)
    return True


def _said(error: DocumentWithProblems) -> str:
    """Say the first problem; its message is made of names, never of values."""
    first = error.problems[0]
    places = ", ".join(f"{line}:{column}" for line, column in first.locations)
    return f"{places}: {first.message}" if places else first.message
