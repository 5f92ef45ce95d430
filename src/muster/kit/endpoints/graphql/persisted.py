"""Persisted operations: documents that clients name by their hash, and the list of those that alone may run.

The protocol is Apollo's automatic persisted queries
(https://www.apollographql.com/docs/apollo-server/performance/apq), which urql speaks, too: a client sends the hash, and
once more with the document where the hash is not known. What is known is forgotten with the process; another process
asks for it again.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from muster.kit.endpoints.graphql.documents import Documents
from muster.kit.errors import AppError, BadInput, Denied, NotFound
from muster.kit.processes import CannotRun

_EXTENSION = "persistedQuery"
_MOST_KEPT = 1000


class PersistedQueryNotFound(NotFound):
    """PersistedQueryNotFound"""

    code = "PERSISTED_QUERY_NOT_FOUND"


class OperationNotListed(Denied):
    """Only operations that the operator of this service has listed run here."""

    code = "OPERATION_NOT_LISTED"
    audited = False


class _Asked(msgspec.Struct, rename="camel"):
    version: int
    sha256_hash: str


class Persisted:
    """Finds documents by their hashes. listed: by hash, what alone may run; None lets run whatever fits the schema."""

    def __init__(self, listed: Mapping[str, str] | None) -> None:
        self._listed = listed
        self._known: OrderedDict[str, str] = OrderedDict()

    def find(self, text: str | None, extensions: dict[str, Any] | None) -> tuple[str, str | None]:
        """The document of a request, and its hash where a client wants it remembered.

        Raises BadInput for a request without any or with another's hash, PersistedQueryNotFound, OperationNotListed.
        """
        asked = None if extensions is None else extensions.get(_EXTENSION)
        if asked is None:
            if text is None:
                raise BadInput.field("query", "is needed", "REQUIRED")
            if self._listed is not None and hash_of(text) not in self._listed:
                raise OperationNotListed
            return text, None
        digest = _read(asked)
        if text is not None and hash_of(text) != digest:
            raise BadInput.field(f"extensions.{_EXTENSION}.sha256Hash", "is not the SHA-256 of the query")
        if self._listed is not None:
            return self._only_listed(digest), None
        return (self._kept(digest), None) if text is None else (text, digest)

    def keep(self, digest: str, text: str) -> None:
        """Remember a document, which has been found to be good; the one that was asked for least recently is forgotten."""
        self._known[digest] = text
        self._known.move_to_end(digest)
        if len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)

    def _kept(self, digest: str) -> str:
        if digest not in self._known:
            raise PersistedQueryNotFound
        self._known.move_to_end(digest)
        return self._known[digest]

    def _only_listed(self, digest: str) -> str:
        assert self._listed is not None
        if digest not in self._listed:
            raise OperationNotListed
        return self._listed[digest]


def hash_of(text: str) -> str:
    """By what a document is known: the SHA-256 of its text in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _read(asked: object) -> str:
    try:
        found = msgspec.convert(asked, _Asked)
    except msgspec.ValidationError as error:
        raise BadInput.field(f"extensions.{_EXTENSION}", f"cannot be read: {error}") from None
    if found.version != 1:
        raise BadInput.field(f"extensions.{_EXTENSION}.version", "must be 1")
    return found.sha256_hash.lower()


def write_list(files: Iterable[Path], documents: Documents) -> str:
    """A list of what files hold, each a document as a client sends it, in the form of Apollo's manifests.

    documents: says what runs. Raises CannotRun for a file that cannot be read or would not run.
    """
    found = []
    for path in files:
        try:
            text = path.read_text()
            operations = documents.get(text).operations
        except (OSError, UnicodeDecodeError, AppError) as error:
            raise CannotRun(f"{path}: {error}") from None
        kinds = {each.operation.value for each in operations.values()}
        found += [{"id": hash_of(text), "name": ", ".join(operations), "type": "/".join(sorted(kinds)), "body": text}]
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": found}
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2).decode()


def good_list(path: Path, documents: Documents) -> dict[str, str]:
    """The documents of a list by their hashes, each found to run. Raises CannotRun."""
    listed = read_list(path)
    for text in listed.values():
        try:
            documents.get(text)
        except AppError as error:
            raise CannotRun(f"{path} holds an operation that cannot run here: {text[:80]!r}. {error}") from None
    return listed


def read_list(path: Path) -> dict[str, str]:
    """The documents of a list by their hashes: a manifest of Apollo's tools or of `muster operations`, or an object with
    documents by name, as graphql-codegen and Relay write it.

    Raises CannotRun when there is no such file, or it is no list.
    """
    try:
        found: Any = msgspec.json.decode(path.read_bytes())
        documents = [each["body"] for each in found["operations"]] if "operations" in found else list(found.values())
        return {hash_of(each): each for each in documents}
    except (OSError, msgspec.DecodeError, TypeError, KeyError, AttributeError) as error:
        raise CannotRun(f"{path} is no list of operations that can be read: {error!r}.") from None
