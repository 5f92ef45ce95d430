"""Names in the shared store: of keys and channels, which several deployments may have in one store."""

import hmac


def prefix_of(secret: str) -> str:
    """What names of a deployment begin with. Numbers of databases do not keep channels apart, so this does.

    secret: the deployment's own, which the prefix tells nothing of.
    """
    return f"muster:{hmac.digest(secret.encode(), b'names in the store', 'sha256').hex()[:16]}:"


def facts_channel(prefix: str) -> str:
    """Where the sequencer says that facts have got their positions, as on the database's channel FACTS."""
    return f"{prefix}facts"
