"""Opening an account, and showing that its mail is one's own."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.identity import queries
from muster.identity.commands.links import Token, follow_link
from muster.identity.facts import EmailVerified, UserRegistered, VerificationAsked
from muster.identity.tables import LinkPurpose
from muster.kit.caller import whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict
from muster.kit.ids import new_id
from muster.kit.limits import AUTH
from muster.kit.views.results import Payload

# As browsers check `<input type=email>` (HTML Living Standard), with at least one dot in the domain.
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_ADDRESS = rf"^[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})+$"
Email = Annotated[
    str,
    Meta(
        min_length=6,
        max_length=254,
        pattern=_ADDRESS,
        examples=["ada@example.org"],
        description="A mail address; capitals do not count.",
    ),
]
PersonName = Annotated[
    str,
    Meta(min_length=1, max_length=80, pattern=r"\S", examples=["Ada"], description="How a person wants to be called."),
]

# A language, perhaps its script, perhaps a region: what people choose of BCP 47.
Locale = Annotated[
    str,
    Meta(
        max_length=12,
        pattern="^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$",
        examples=["de-AT"],
        description="The language that somebody reads; mails and pages are there in English, German and Polish.",
    ),
]
Timezone = Annotated[
    str,
    Meta(max_length=64, examples=["Europe/Warsaw"], description="A time zone, as the IANA names it."),
]


class EmailTaken(Conflict):
    """An account with this mail exists; sign in instead."""

    code = "EMAIL_TAKEN"


class MailSent(Payload):
    """What happens next is in a mail to this address; the answer is the same whether or not it has an account.

    email: as accounts are known by it, in small letters.
    """

    status = 202
    replayable = True

    email: str


def normal_email(email: str) -> str:
    """A mail address as it is stored and compared."""
    return email.strip().lower()


async def open_account(
    ctx: Ctx,
    *,
    name: str,
    email: str,
    verified: bool = False,
    locale: str | None = None,
    timezone: str | None = None,
    accepted_terms: bool = False,
) -> UUID:
    """Make an account and go on as that person. verified: the mail is known to be theirs. Raises EmailTaken."""
    user_id = await queries.put_user(
        ctx,
        name=name.strip(),
        email=normal_email(email),
        verified=verified,
        locale=locale,
        timezone=timezone,
        accepted_terms=accepted_terms,
    )
    if user_id is None:
        raise EmailTaken
    ctx.act_as(user_id)
    ctx.record(UserRegistered(user_id=user_id))
    return user_id


@command("POST /auth/verify", "verifyEmail", allow=whoever, limit=AUTH)
async def verify_email(ctx: Ctx, *, token: Token) -> None:
    """Show that a mail is one's own, with the token from the link that was mailed to it.

    Raises LinkInvalid.
    """
    link = await follow_link(ctx, token, LinkPurpose.VERIFY)
    await verify_address(ctx, link.user_id, link.address)


async def verify_address(ctx: Ctx, user_id: UUID, address: str) -> None:
    """Note that an address is its account's owner's: they have followed a link that was mailed there."""
    if await queries.verify(ctx, user_id, address):
        ctx.record(EmailVerified(user_id=user_id))


def ask_for_verification(ctx: Ctx, user_id: UUID | None) -> None:
    """Have the link mailed that verifies an account's address; nothing is mailed for nobody, or where it is verified."""
    ctx.record(VerificationAsked(asked_id=new_id(), user_id=user_id))


@command("POST /auth/resend-verification", "resendVerification", allow=whoever, limit=AUTH)
async def resend_verification(ctx: Ctx, *, email: Email) -> MailSent:
    """Mail the link that verifies an address once more, at most three times an hour."""
    ask_for_verification(ctx, await queries.user_by_email(ctx, normal_email(email)))
    return MailSent(email=normal_email(email))
