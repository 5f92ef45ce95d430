"""Signing in, second half: a code or a passkey after the password."""

from typing import Annotated

from msgspec import Meta

from muster.identity.commands.codes import check_code
from muster.identity.commands.passkeys import ChallengeInvalid, PasskeyAnswer, answered, load, resume
from muster.identity.commands.sessions import Session, open_session
from muster.identity.queries import factors as factor_queries
from muster.identity.seals import LONGEST_TOKEN
from muster.identity.tables import ChallengePurpose
from muster.kit.caller import whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Invalid
from muster.kit.limits import AUTH

AnyCode = Annotated[
    str,
    Meta(max_length=20, examples=["123456"], description="Of the authenticator app, or a backup code; each good once."),
]
MfaToken = Annotated[
    str,
    Meta(
        max_length=LONGEST_TOKEN,
        examples=["0193b1f0a4c07d3e9a51c8f3a2b4d6e8.kq3v"],
        description="The `mfaToken` that came with `MFA_REQUIRED`.",
    ),
]


def refuse_unless_one(**given: object) -> None:
    """Raises Invalid where not exactly one of several was given. given: by their names on the wire."""
    if sum(each is not None for each in given.values()) != 1:
        raise Invalid.field("", f"needs exactly one of {', '.join(given)}", "ONE_OF")


@command("POST /auth/mfa", "completeLogin", allow=whoever, limit=AUTH, prepare=load)
async def complete_login(
    ctx: Ctx, *, mfa_token: MfaToken, code: AnyCode | None = None, passkey: PasskeyAnswer | None = None, prepared: None
) -> Session:
    """Sign in where `MFA_REQUIRED` said so, with a code, or with the answer of a passkey to `challengePasskey`.

    Five wrong codes in a row lock the account's codes for 15 minutes; nothing but a right one takes them back.
    Raises ChallengeInvalid, WrongCode, CodesRest, PasskeyRefused, WrongCredentials,
    Invalid.
    """
    refuse_unless_one(code=code, passkey=passkey)
    begun = await resume(ctx, ChallengePurpose.SECOND, mfa_token)
    if begun.user_id is None:
        raise ChallengeInvalid
    # From here on it is known whose account this is about, also in the audit log of what is refused.
    ctx.act_as(begun.user_id)
    if code is not None:
        await check_code(ctx, begun.user_id, code, backup=True)
    elif passkey is not None:
        await answered(ctx, ChallengePurpose.SIGN_IN, passkey, by=begun.user_id)
    await factor_queries.finish(ctx, begun.id)
    return await open_session(ctx, begun.user_id, remember=begun.remember, proved=True)
