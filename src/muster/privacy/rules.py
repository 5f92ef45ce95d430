"""The times of privacy."""

from datetime import timedelta

GRACE = timedelta(days=30)
"""How long a closed account can be opened again."""
REMINDED_BEFORE = timedelta(days=3)
"""How long before that is over its person is reminded."""
SETTLING = timedelta(days=1)
"""How long after that what they held goes to others and is told of, before all of it is erased."""
ERASED_WITHIN = timedelta(hours=6)
"""An erasure that takes longer has been given up by its worker, and is begun again; it goes on where it stopped."""

EXPORTED_EVERY = timedelta(hours=24)
"""How often a person has an export made."""
EXPORT_KEPT = timedelta(days=7)
"""How long it can be fetched."""
EXPORT_NAME = "export.zip"
"""What it is called where it is saved."""
EXPORT_FOLDER = "exports"
"""Where exports are kept among the files of their person."""
EXPORT_LINK = "export"
"""What links in mails about exports are sealed for."""
