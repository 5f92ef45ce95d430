"""Who else's word is taken for who somebody is, as the settings name them."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from muster.kit.sources import THIS_MACHINE, SettingError, Source

_KNOWN = {"google": ("Google", "https://accounts.google.com"), "github": ("GitHub", "https://github.com")}
_NAME = re.compile(r"[a-z][a-z0-9]{0,19}")
# Addresses of pages that stand where a provider's would.
_TAKEN = {"link", "mail"}


@dataclass(frozen=True)
class Provider:
    """One that people can sign in with.

    name: in addresses. label: what people call it. issuer: whose word it is, and where its configuration is found.
    client_id, client_secret: what it knows this deployment by.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def is_github(self) -> bool:
        """Whether it speaks GitHub's OAuth, not OpenID Connect."""
        return self.name == "github"


@dataclass(frozen=True)
class Asked:
    """What goes along when a person is sent to a provider, and has to hold when they come back.

    fresh: they are to sign in there, also where they are signed in.
    """

    redirect: str
    state: str
    nonce: str
    verifier: str
    fresh: bool = False


class NotVouched(Exception):
    """Somebody's word is asked for, and they do not give it, or it does not hold."""


class OutOfReach(Exception):
    """Somebody's word is asked for, and there is no answer, or none that can be read."""


@dataclass(frozen=True)
class Vouched:
    """Whom one of them says somebody is.

    issuer, subject: whose word, and whom they mean by it; the two together stay the same person. email, name: as they
    know them, perhaps empty. is_verified: whether they say that the mail is that person's. signed_in_at: when the person
    last signed in there; None where they do not say.
    """

    issuer: str
    subject: str
    email: str
    is_verified: bool
    name: str
    signed_in_at: datetime | None = None


@dataclass(frozen=True)
class TokenIssuer:
    """One whose tokens are taken as access tokens.

    name: in the settings. issuer: what its tokens name as `iss`. audience: what they name as `aud` or, where they have
    none, as `azp`. keys: the address of its keys; None is told by its configuration. email_claim: where its tokens say the
    person's mail. opens_accounts: whether who is not known yet gets an account, by a mail that it says is verified.
    """

    name: str
    issuer: str
    audience: str
    keys: str | None
    email_claim: str
    opens_accounts: bool


@dataclass(frozen=True)
class Vouchers:
    """All whose word is taken. providers: by name. tokens: those who issue them."""

    providers: dict[str, Provider] = field(default_factory=dict)
    tokens: tuple[TokenIssuer, ...] = ()


def read_vouchers(source: Source, *, is_production: bool) -> Vouchers:
    """The settings. Raises SettingError."""
    names = source.text(
        "SIGN_IN_WITH", "", "whom people can sign in with, with blanks between: google github, or any name"
    )
    found = {name: _provider(source, name, is_production=is_production) for name in names.split()}
    issuers = source.text("TOKENS_FROM", "", "whose tokens are taken as access tokens, with blanks between: any names")
    tokens = tuple(_token_issuer(source, name, is_production=is_production) for name in issuers.split())
    if len({each.issuer for each in tokens}) < len(tokens):
        raise SettingError("TOKENS_FROM names one issuer twice: its tokens would be of either.")
    return Vouchers(found, tokens)


def _token_issuer(source: Source, name: str, *, is_production: bool) -> TokenIssuer:
    if not _NAME.fullmatch(name):
        raise SettingError(f"TOKENS_FROM holds {name!r}: write small letters and digits.")
    prefix = f"TOKENS_{name.upper()}"
    opens = source.choice(f"{prefix}_OPENS_ACCOUNTS", ("on", "off"), "off", "whether strangers get an account by them")
    found = TokenIssuer(
        name=name,
        issuer=source.text(f"{prefix}_ISSUER", "", f"what tokens of {name} name as `iss`"),
        audience=source.text(f"{prefix}_AUDIENCE", "", "what they name as `aud`, or as `azp` where they have no `aud`"),
        keys=source.text(f"{prefix}_KEYS", "", "where the keys are (a JWK set), where its configuration does not say")
        or None,
        email_claim=source.text(f"{prefix}_EMAIL_CLAIM", "email", "which claim is the mail"),
        opens_accounts=opens == "on",
    )
    if not found.audience:
        raise SettingError(f"TOKENS_FROM names {name}: set {prefix}_AUDIENCE, or tokens for anybody would be taken.")
    _check_address(f"{prefix}_ISSUER", found.issuer, is_production=is_production)
    if found.keys is not None:
        _check_address(f"{prefix}_KEYS", found.keys, is_production=is_production)
    return found


def _provider(source: Source, name: str, *, is_production: bool) -> Provider:
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise SettingError(
            f"SIGN_IN_WITH holds {name!r}: write small letters and digits, and neither of {sorted(_TAKEN)}."
        )
    prefix = f"SIGN_IN_{name.upper()}"
    label, issuer = _KNOWN.get(name, (name.title(), ""))
    provider = Provider(
        name=name,
        label=source.text(f"{prefix}_LABEL", label, f"what people call {name}"),
        issuer=source.text(f"{prefix}_ISSUER", issuer, f"the address that {name} names as issuer").rstrip("/"),
        client_id=source.text(f"{prefix}_CLIENT_ID", "", f"what {name} knows this deployment by"),
        client_secret=source.secret(f"{prefix}_CLIENT_SECRET", None, f"the secret that goes with it at {name}") or "",
    )
    if not provider.client_id or not provider.client_secret:
        raise SettingError(f"SIGN_IN_WITH names {name}: set {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET too.")
    _check_address(f"{prefix}_ISSUER", provider.issuer, is_production=is_production)
    return provider


def _check_address(name: str, address: str, *, is_production: bool) -> None:
    """Who vouches for people does so over TLS. Raises SettingError."""
    parts = urlsplit(address)
    is_here = parts.hostname in THIS_MACHINE and not is_production
    if not parts.hostname or parts.query or parts.fragment or (parts.scheme != "https" and not is_here):
        raise SettingError(f"{name} is {address!r}: it must be an address that begins with https://.")
