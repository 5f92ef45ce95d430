"""What happens to profiles. Of a block there is no fact: nobody is to be told of it."""

from typing import ClassVar
from uuid import UUID

from muster.kit.commands.facts import Fact
from muster.profiles.tables import TieKind


class ProfileUpdated(Fact):
    """A person changed their profile. changed: the fields, by their names on the wire."""

    kind: ClassVar[str] = "profile.updated"
    about: ClassVar[str] = "user_id"
    user_id: UUID
    changed: list[str]


class UsernameSet(Fact):
    """A person has a username, or another one than before."""

    kind: ClassVar[str] = "profile.username_set"
    about: ClassVar[str] = "user_id"
    user_id: UUID


class PersonTied(Fact):
    """Somebody starred or follows a person. by_id: who."""

    kind: ClassVar[str] = "person.tied"
    about: ClassVar[str] = "user_id"
    user_id: UUID
    by_id: UUID
    tie: TieKind


class PersonUntied(Fact):
    """Somebody took their star back, or follows a person no more. by_id: who."""

    kind: ClassVar[str] = "person.untied"
    about: ClassVar[str] = "user_id"
    user_id: UUID
    by_id: UUID
    tie: TieKind
