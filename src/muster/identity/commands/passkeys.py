"""Passkeys: a browser is asked, and comes back with what the key has signed."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from muster.identity import passkeys
from muster.identity.commands.sessions import Session, open_session
from muster.identity.facts import SecondFactorAdded
from muster.identity.passkeys import Party
from muster.identity.queries import factors as factor_queries
from muster.identity.queries.factors import Begun, Held
from muster.identity.rules import CHALLENGE_LASTS, Method
from muster.identity.seals import LONGEST_TOKEN, challenge_bytes, challenge_token, read_challenge_token
from muster.identity.tables import ChallengePurpose
from muster.identity.views import PasskeyView
from muster.kit.arguments import Input
from muster.kit.caller import Claim, signed_in, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Conflict, Gone, Invalid, NotFound
from muster.kit.limits import API, AUTH
from muster.kit.views.results import Payload

PASSKEYS = 20
"""So many a person may have."""

PasskeyName = Annotated[
    str,
    Meta(min_length=1, max_length=80, pattern=r"\S", examples=["My phone"], description="The person's own name of it."),
]
ChallengeToken = Annotated[
    str,
    Meta(max_length=LONGEST_TOKEN, examples=["0193b1f0a4c07d3e9a51c8f3a2b4d6e8.kq3v"], description="Of the challenge."),
]
Credential = Annotated[
    str,
    Meta(
        max_length=20_000,
        examples=["{}"],
        description="What the browser gave, as JSON text: `JSON.stringify(credential)`.",
    ),
]


class ChallengeInvalid(Gone):
    """This was finished already, or was begun more than five minutes ago; begin again."""

    code, title = "CHALLENGE_INVALID", "Begin again"


class PasskeyRefused(Invalid):
    """This passkey is not known here, or its answer is not good; try again, or take another way."""

    code, title = "PASSKEY_REFUSED", "The passkey was refused"
    audited = True


class PasskeyKnown(Conflict):
    """This passkey was added before."""

    code = "PASSKEY_KNOWN"


class TooManyPasskeys(Conflict):
    """You have 20 passkeys; remove one first."""

    code = "TOO_MANY_PASSKEYS"


class PasskeyNotFound(NotFound):
    """You have no such passkey."""

    code = "PASSKEY_NOT_FOUND"


class PasskeyChallenge(Payload):
    """What a browser is to ask a passkey, once and within five minutes.

    token: goes back with the answer. options: what `navigator.credentials` takes, as JSON text:
    `PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options))`, or `parseCreationOptionsFromJSON`.
    expires_at: when it is too late.
    """

    token: str
    options: str
    expires_at: datetime


class PasskeyAnswer(Input):
    """The answer of a passkey to a challenge."""

    token: ChallengeToken
    credential: Credential


async def load(services: Services, claim: Claim, **_: Any) -> None:
    """What works on passkeys is loaded when it is first needed, and not while a transaction is open."""
    await passkeys.load()


async def begin(ctx: Ctx, purpose: ChallengePurpose, *, user_id: UUID | None) -> PasskeyChallenge:
    """Ask a browser for one of a person's passkeys; for any that it has, where nobody has said who they are."""
    known = [] if user_id is None else await factor_queries.credentials_of(ctx, user_id)
    token = await _begun(ctx, purpose, user_id)
    options = passkeys.request_options(Party.of(ctx.settings), challenge=challenge_bytes(token), known=known)
    return PasskeyChallenge(token=token, options=options, expires_at=ctx.now + CHALLENGE_LASTS)


async def _begun(ctx: Ctx, purpose: ChallengePurpose, user_id: UUID | None) -> str:
    challenge_id = await factor_queries.begin(ctx, purpose, user_id=user_id)
    return challenge_token(ctx.settings.security.jwt_secret, purpose, challenge_id)


async def resume(ctx: Ctx, purpose: ChallengePurpose, token: str) -> Begun:
    """What a token comes back to, locked. What a signed-in person has begun goes on in the same session only.

    Raises ChallengeInvalid.
    """
    challenge_id = read_challenge_token(ctx.settings.security.secrets, purpose, token)
    begun = None if challenge_id is None else await factor_queries.lock_begun(ctx, challenge_id)
    if begun is None:
        raise ChallengeInvalid
    if purpose in (ChallengePurpose.ENROL, ChallengePurpose.STEP_UP) and begun.session_id != ctx.session_id:
        raise ChallengeInvalid
    return begun


async def answered(ctx: Ctx, purpose: ChallengePurpose, answer: PasskeyAnswer, *, by: UUID | None = None) -> Held:
    """The passkey that answered a challenge, used up. by: whose it has to be. Raises ChallengeInvalid, PasskeyRefused."""
    begun = await resume(ctx, purpose, answer.token)
    try:
        credential, handle = passkeys.named_key(answer.credential)
        held = await factor_queries.lock_passkey(ctx, credential)
        if held is None or by not in (None, held.user_id) or handle not in (None, passkeys.handle_of(held.user_id)):
            raise PasskeyRefused
        count = passkeys.check_answer(
            Party.of(ctx.settings),
            challenge=challenge_bytes(answer.token),
            answer=answer.credential,
            public_key=held.public_key,
            sign_count=held.sign_count,
        )
    except passkeys.Refused as error:
        raise PasskeyRefused from error
    await factor_queries.use_passkey(ctx, held.id, count=count)
    await factor_queries.finish(ctx, begun.id)
    return held


@command("POST /auth/passkeys/enrolment", "enrolPasskey", allow=signed_in, limit=API, step_up=True, prepare=load)
async def enrol_passkey(ctx: Ctx, *, prepared: None) -> PasskeyChallenge:
    """Begin to add a passkey: what the browser is to make, for `navigator.credentials.create`.

    Raises TooManyPasskeys.
    """
    factors = await factor_queries.lock_factors(ctx, ctx.user_id)
    if factors.passkeys >= PASSKEYS:
        raise TooManyPasskeys
    known = await factor_queries.credentials_of(ctx, ctx.user_id)
    token = await _begun(ctx, ChallengePurpose.ENROL, ctx.user_id)
    options = passkeys.creation_options(
        Party.of(ctx.settings),
        challenge=challenge_bytes(token),
        user_id=ctx.user_id,
        email=factors.email,
        known=known,
    )
    return PasskeyChallenge(token=token, options=options, expires_at=ctx.now + CHALLENGE_LASTS)


@command("POST /auth/passkeys", "addPasskey", allow=signed_in, limit=API, step_up=True, prepare=load, answers=(201,))
async def add_passkey(
    ctx: Ctx, *, name: PasskeyName, token: ChallengeToken, credential: Credential, prepared: None
) -> PasskeyView:
    """Add the passkey that the browser has made. It signs in by itself, and is a second factor beside a password.

    Raises ChallengeInvalid, PasskeyRefused, PasskeyKnown, TooManyPasskeys.
    """
    begun = await resume(ctx, ChallengePurpose.ENROL, token)
    try:
        made = passkeys.read_new_key(Party.of(ctx.settings), challenge=challenge_bytes(token), answer=credential)
    except passkeys.Refused as error:
        raise PasskeyRefused from error
    # The lock: of two that are added at once the second counts the first.
    factors = await factor_queries.lock_factors(ctx, ctx.user_id)
    if factors.passkeys >= PASSKEYS:
        raise TooManyPasskeys
    passkey_id = await factor_queries.put_passkey(
        ctx,
        user_id=ctx.user_id,
        credential=made.credential,
        public_key=made.public_key,
        sign_count=made.sign_count,
        name=name.strip(),
    )
    if passkey_id is None:
        raise PasskeyKnown
    await factor_queries.finish(ctx, begun.id)
    ctx.record(SecondFactorAdded(user_id=ctx.user_id, factor=Method.PASSKEY))
    return PasskeyView.ref(passkey_id, created=True)


@command("PATCH /auth/passkeys/{id}", "renamePasskey", allow=signed_in, limit=API, in_person=True)
async def rename_passkey(ctx: Ctx, *, id: UUID, name: PasskeyName) -> PasskeyView:
    """Call a passkey something else.

    Raises PasskeyNotFound.
    """
    if not await factor_queries.rename_passkey(ctx, id, name.strip()):
        raise PasskeyNotFound
    return PasskeyView.ref(id)


@command("POST /auth/passkeys/challenge", "challengePasskey", allow=whoever, limit=API, prepare=load)
async def challenge_passkey(ctx: Ctx, *, prepared: None) -> PasskeyChallenge:
    """Begin to sign in by passkey: what the browser is to ask, for `navigator.credentials.get`. No name is needed."""
    return await begin(ctx, ChallengePurpose.SIGN_IN, user_id=None)


@command("POST /auth/passkeys/login", "loginWithPasskey", allow=whoever, limit=AUTH, prepare=load)
async def login_with_passkey(ctx: Ctx, *, passkey: PasskeyAnswer, remember_me: bool = False, prepared: None) -> Session:
    """Sign in with a passkey, and nothing else: it holds a key, and has made sure who uses it.

    remember_me: the session lasts 30 days, not 7. Raises ChallengeInvalid, PasskeyRefused, WrongCredentials.
    """
    held = await answered(ctx, ChallengePurpose.SIGN_IN, passkey)
    return await open_session(ctx, held.user_id, remember=remember_me, proved=True)
