"""Who else's word is taken for who somebody is, as the settings name them."""

import re
from dataclasses import dataclass, field
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
    """What goes along when a person is sent to a provider, and has to hold when they come back."""

    redirect: str
    state: str
    nonce: str
    verifier: str


class NotVouched(Exception):
    """Somebody's word is asked for, and they do not give it, or it does not hold."""


class OutOfReach(Exception):
    """Somebody's word is asked for, and there is no answer, or none that can be read."""


@dataclass(frozen=True)
class Vouched:
    """Whom one of them says somebody is.

    issuer, subject: whose word, and whom they mean by it; the two together stay the same person. email, name: as they
    know them, perhaps empty. is_verified: whether they say that the mail is that person's.
    """

    issuer: str
    subject: str
    email: str
    is_verified: bool
    name: str


@dataclass(frozen=True)
class Vouchers:
    """All whose word is taken. providers: by name."""

    providers: dict[str, Provider] = field(default_factory=dict)


def read_vouchers(source: Source, *, is_production: bool) -> Vouchers:
    """The settings. Raises SettingError."""
    names = source.text(
        "SIGN_IN_WITH", "", "whom people can sign in with, with blanks between: google github, or any name"
    )
    found = {name: _provider(source, name, is_production=is_production) for name in names.split()}
    return Vouchers(found)


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
