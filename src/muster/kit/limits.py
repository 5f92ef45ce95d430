"""Rate limits by name. A declaration may only name a limit that stands here; they are not enforced yet."""

LIMITS = frozenset(
    {"auth", "api", "read", "expensive", "upload", "webhook", "event.write"}
    | {"chat.event.send", "chat.dm.send", "chat.edit", "chat.delete"}
    | {"feedback", "feedback.send", "report", "billing", "ai"}
)
"""The buckets that endpoints may draw from."""

FEATURES: frozenset[str] = frozenset()
"""The features that a plan may hold back. None is held back yet."""


def check_slots(name: str, *, limit: str, feature: str | None, deprecated: str | None) -> None:
    """Refuse a declaration, at import, that names a limit or feature nobody has declared.

    deprecated: the sentence that says what to use instead; empty is refused.
    """
    if limit not in LIMITS:
        raise TypeError(f"{name}: there is no limit {limit!r}; declare it in kit/limits.py or use one of those there")
    if feature is not None and feature not in FEATURES:
        raise TypeError(f"{name}: there is no feature {feature!r}; declare it in kit/limits.py")
    if deprecated is not None and not deprecated.strip():
        raise TypeError(f"{name}: `deprecated` says what to use instead")
