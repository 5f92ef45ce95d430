"""Kinds of mail: what each holds while it waits, and the letter it becomes when it is sent."""

from typing import ClassVar
from uuid import UUID

import msgspec

from muster.kit.commands.context import Ctx
from muster.kit.words import Section, Values, section


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail tells: the values that its words speak of, and where its button leads."""

    values: Values = {}
    link: str | None = None


class Mail(msgspec.Struct, kw_only=True):
    """Base of every kind of mail. Holds ids; what they stand for is read when the letter is written.

    kind: its stable name, `<slice>.<what_it_tells>`, which is also where its words stand: `subject`, `paragraphs`, and
    perhaps `button` and `footnote`, which says why people get it.
    """

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        known = KINDS.setdefault(cls.kind, cls)
        if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
            raise TypeError(f"{cls.__name__} and {known.__name__} are both the mail {cls.kind}; rename one")

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """The letter to a person, from what is true now; None when there is nothing left to tell.

        It may run again for the same mail, and changes nothing.
        """
        raise NotImplementedError

    @classmethod
    def words(cls, language: str) -> Section:
        """Its words in a language. Raises WordsMissing."""
        return section(cls.kind, language)


KINDS: dict[str, type[Mail]] = {}
"""Every declared kind of mail."""


class UnknownMail(Exception):
    """A mail of a kind that this release does not know; a worker of the next release may send it."""


def read_mail(kind: str, data: str) -> Mail:
    """A stored mail. Raises UnknownMail."""
    if kind not in KINDS:
        raise UnknownMail(f"{kind}: run the release that posted it")
    return msgspec.json.decode(data, type=KINDS[kind])
