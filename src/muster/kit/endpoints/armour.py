"""Armour: headers on every answer that keep browsers from doing with it what nobody meant.

Their meaning is told at https://owasp.org/www-project-secure-headers/. They are made once; pages bring a policy of their
own, which is stricter still.
"""

Headers = tuple[tuple[bytes, bytes], ...]

POLICY = b"content-security-policy"

_ALWAYS = {
    "x-content-type-options": "nosniff",
    # Addresses of pages may hold a token from a mail, so they are told to nobody.
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
}
_PRODUCTION = {
    **_ALWAYS,
    "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
    # Whom CORS lets read may still do so; this is about what is loaded without it, such as a script or an image.
    "cross-origin-resource-policy": "same-origin",
}
# Development reaches the service without TLS, and from pages on other ports.
_DEVELOPMENT = {**_ALWAYS, "cross-origin-resource-policy": "cross-origin"}

DEFAULT_POLICY = (POLICY, b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
"""For what brings no policy of its own: no inline script, no frame, nothing of anybody else."""


def armour(*, is_production: bool) -> Headers:
    """The headers of every answer, besides its policy."""
    chosen = _PRODUCTION if is_production else _DEVELOPMENT
    return tuple((name.encode(), value.encode()) for name, value in chosen.items())
