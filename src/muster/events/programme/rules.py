"""What an agenda may say: pure decisions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID


def item_problems(
    starts_at: datetime | None, ends_at: datetime | None, hosts: Sequence[tuple[UUID | None, str | None]]
) -> list[tuple[str, str]]:
    """Each field of a point of the agenda that breaks a rule, with why. hosts: the person and the name of each."""
    problems = []
    if (starts_at is None) != (ends_at is None):
        problems.append(("endsAt", "must come together with startsAt"))
    elif starts_at is not None and ends_at is not None and ends_at <= starts_at:
        problems.append(("endsAt", "must be after startsAt"))
    problems += [
        (f"hosts[{at}]", "needs a userId or a name, and not both")
        for at, (user_id, name) in enumerate(hosts)
        if (user_id is None) == (name is None)
    ]
    seen = [user_id for user_id, _ in hosts if user_id is not None]
    problems += [
        (f"hosts[{at}].userId", "is named twice")
        for at, (user_id, _) in enumerate(hosts)
        if user_id is not None and seen.count(user_id) > 1
    ]
    return problems
