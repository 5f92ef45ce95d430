"""Mail to people: kept as kind and data, written when it is sent, sent at least once after what it is about."""

import muster.kit.mail.tables  # noqa: F401 - whoever posts mail checks its table at start, too
