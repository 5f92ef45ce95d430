"""The channels on which the processes wake each other by NOTIFY."""

OUTBOX = "muster_outbox"
"""Notified by whoever left facts in the outbox."""
FACTS = "muster_facts"
"""Notified after facts got their positions: `{"p": highest position, "t": [tenants]}`."""
RIGHTS = "muster_rights"
"""Notified by the database when somebody's right to be here changed: `{"t": tenant, "u": user}`, null for all."""
