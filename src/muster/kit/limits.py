"""Rate limits by name. A declaration may only name a limit that stands here; they are not enforced yet."""

LIMITS = frozenset(
    {"auth", "api", "read", "expensive", "upload", "webhook", "event.write"}
    | {"chat.event.send", "chat.dm.send", "chat.edit", "chat.delete"}
    | {"feedback", "feedback.send", "report", "billing", "ai"}
)
"""The buckets that endpoints may draw from."""

FEATURES: frozenset[str] = frozenset()
"""The features that a plan may hold back. None is held back yet."""
