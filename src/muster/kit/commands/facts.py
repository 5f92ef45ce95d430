"""Facts: immutable records that something happened, written in the transaction that made it happen."""

from typing import ClassVar
from uuid import UUID

import msgspec


class Fact(msgspec.Struct, kw_only=True):
    """Base of every fact. Holds ids, and values that cannot be read back later.

    kind: its stable name, `thing.happened`. version: of its shape. about: the field with the id of what it is
    about; readers of a stream ask by that id.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    about: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        known = KINDS.setdefault((cls.kind, cls.version), cls)
        if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
            raise TypeError(f"{cls.__name__} and {known.__name__} both record {cls.kind} version {cls.version}")

    @property
    def aggregate_id(self) -> UUID:
        """The id of what this fact is about."""
        value: UUID = getattr(self, self.about)
        return value


KINDS: dict[tuple[str, int], type[Fact]] = {}
"""Every declared fact by kind and version."""


def read_fact(kind: str, version: int, data: str) -> Fact | None:
    """A stored fact, or None when this release does not know its kind and version."""
    known = KINDS.get((kind, version))
    return None if known is None else msgspec.json.decode(data, type=known)
