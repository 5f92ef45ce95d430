"""For how long the audit log is kept, as the settings say it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from muster.kit.sources import SettingError, Source

_LEAST, _MOST = 90, 731
_OF_KIND = re.compile(r"([A-Z]+)=(\d{1,4})")


@dataclass(frozen=True)
class Keeping:
    """Days that audit rows are kept. by_kind: of communities of a kind, where that is not the usual time."""

    usual: int = _LEAST
    by_kind: Mapping[str, int] = field(default_factory=dict)

    def days(self, kind: str) -> int:
        """For a community of a kind."""
        return self.by_kind.get(kind, self.usual)


def read_keeping(source: Source) -> Keeping:
    """The settings. Raises SettingError."""
    name = "MUSTER_AUDIT_DAYS_OF"
    usual = source.number("MUSTER_AUDIT_DAYS", _LEAST, _LEAST, _MOST, "days that audit rows are kept; money's 7 years")
    by_kind = {}
    for each in source.text(name, "", "the same for kinds of communities, as in SCHOOL=365 COMPANY=731").split():
        found = _OF_KIND.fullmatch(each)
        if found is None or not _LEAST <= int(found[2]) <= _MOST:
            raise SettingError(f"{name} holds {each!r}: write a kind and from {_LEAST} to {_MOST} days, as SCHOOL=365.")
        by_kind[found[1]] = int(found[2])
    return Keeping(usual, by_kind)
