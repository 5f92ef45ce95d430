"""Secrets that nobody chose: made once, kept in a file that only its owner may read."""

import os
import secrets
import tempfile
from pathlib import Path

# 32 bytes are 256 bits, the key size HMAC-SHA256 asks for (RFC 7518, section 3.2).
BYTES = 32


def kept_secret(path: Path) -> str:
    """The secret in a file, made at random the first time (43 characters, URL-safe).

    Processes that ask at the same moment get the same secret. The file has mode 0600.

    Raises:
        PermissionError: the file belongs to somebody else.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _publish(secrets.token_urlsafe(BYTES), path)
    return path.read_text().strip()


def _publish(secret: str, path: Path) -> None:
    """Put a complete file in place at once; whoever comes first wins."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        Path(draft).unlink()
