"""Decisions of profiles: which usernames there may be, which links, which places."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

REDIRECT = timedelta(days=90)
"""How long a name that was given up still leads to who had it, and cannot be taken by anybody else."""
NAMES_HELD = 3
"""So many given-up names a person may hold at once, or one could keep many from others by going through them."""
COARSE = timedelta(minutes=5)
"""How exactly it is kept when somebody was last here."""

_RESERVED = (
    "about abuse access account accounts admin administrator admins all anonymous api app apps assets auth billing blog "
    "bot bots calendar chat config contact dashboard default deleted demo dev docs email event events everyone feedback "
    "files help home host hostmaster info internal invite invites legal localhost login logout mail mailer-daemon "
    "marketing me media member members message messages mod moderator moderators muster news no-reply nobody noreply "
    "notifications null official operator owner password pay payment payments people postmaster privacy profile profiles "
    "public register reset root sales search secure security self service settings signin signup site ssl staff "
    "start static status store stream superuser support sysadmin system team teams tenant tenants terms test undefined "
    "unknown unlock update user username users verified verify webhook webhooks webmaster welcome www you"
)
RESERVED = frozenset(_RESERVED.split())
"""Names that would pass for the service itself, or for an address of it."""

_PROVIDERS = (
    "behance.net bsky.app chess.com codeberg.org codepen.io dev.to discord.com discord.gg dribbble.com facebook.com "
    "github.com gitlab.com goodreads.com hachyderm.io instagram.com kaggle.com last.fm lichess.org linkedin.com "
    "mastodon.social medium.com meetup.com orcid.org patreon.com pinterest.com pixelfed.social reddit.com "
    "researchgate.net soundcloud.com stackoverflow.com steamcommunity.com strava.com substack.com threads.net tiktok.com "
    "twitch.tv twitter.com vimeo.com wikipedia.org x.com xing.com youtube.com"
)
PROVIDERS = frozenset(_PROVIDERS.split())
"""Where links may lead: places where people have a page of their own."""


def normal_username(username: str) -> str:
    """A username as it is stored and compared. All are ASCII in small letters, so that none looks like another's."""
    return username.lower()


def link_problem(link: str) -> str | None:
    """What is wrong with a link; None when it may be shown."""
    try:
        parts = urlsplit(link)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is no address"
    if parts.scheme != "https" or "@" in parts.netloc or port is not None:
        return "must begin with https:// and the name of the provider"
    if not link.isascii() or not link.isprintable() or any(each in link for each in ' "<>\\^`{|}'):
        return "holds characters that addresses do not; encode them with %"
    known = any(host == provider or host.endswith(f".{provider}") for provider in PROVIDERS)
    return None if known else f"leads to a provider that is not known here; known are {', '.join(sorted(PROVIDERS))}"


def coarse(moment: datetime) -> datetime:
    """The moment as exactly as it is kept when somebody was here."""
    return moment - (moment - datetime(2000, 1, 1, tzinfo=UTC)) % COARSE
