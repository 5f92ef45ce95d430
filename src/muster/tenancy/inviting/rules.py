"""Decisions about the rows of a file of people to invite: what each wants, and what is wrong with it."""

from collections.abc import Iterable, Iterator
from typing import Annotated, NamedTuple

from msgspec import Meta

from muster.identity.commands import Email, Locale, normal_email
from muster.kit.arguments import Input, fitting
from muster.kit.errors import AppError, Invalid

MOST = 500
"""Rows that are taken at once."""

Cell = Annotated[str, Meta(max_length=300)]


class InvitationRow(Input):
    """A row as it stands in the file; what is wrong with it is said of it alone.

    email: whom to invite. role: as what; empty is a participant. team: the name or id of a team that they are invited into,
    too. language: of the letter, for who has no account that says it.
    """

    email: Cell
    role: Cell = ""
    team: Cell = ""
    language: Cell = ""


class Refusal(NamedTuple):
    """Why a row comes to nothing. code: for programs. reason: for people."""

    code: str
    reason: str

    @classmethod
    def of(cls, error: AppError) -> "Refusal":
        """The same as what inviting one person would be refused with."""
        return cls(error.code, error.detail)


class Wanted(NamedTuple):
    """What a row asks for. number: of the row."""

    number: int
    email: str
    role: str
    team: str
    language: str | None


class _Fields(Input):
    email: Email
    language: Locale | None = None


def read_rows(
    rows: Iterable[tuple[int, InvitationRow]], seen: dict[str, int]
) -> Iterator[tuple[Wanted, Refusal | None]]:
    """What each row asks for, and what is wrong with it by itself. An address counts where it stands first.

    rows: with their numbers. seen: where addresses stood in earlier rows; those of these are added.
    """
    for number, row in rows:
        language = row.language.strip() or None
        email = normal_email(row.email)
        wanted = Wanted(number, email, row.role.strip() or "participant", row.team.strip(), language)
        yield wanted, _problem(wanted, seen)
        seen.setdefault(email, number)


def _problem(wanted: Wanted, seen: dict[str, int]) -> Refusal | None:
    try:
        fitting({"email": wanted.email, "language": wanted.language}, _Fields)
    except Invalid as error:
        problem = error.fields[0]
        return Refusal("INVALID_EMAIL" if problem.path == "email" else "INVALID_LANGUAGE", _SAYS[problem.path])
    if wanted.email in seen:
        return Refusal("DOUBLE", f"row {seen[wanted.email]} invites this address already")
    return None


_SAYS = {
    "email": "this is no mail address",
    "language": "this is no language; write it as en, de or de-AT, or leave it empty",
}
