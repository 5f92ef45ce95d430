"""The verbs of profiles."""

from muster.profiles.commands.people import (
    PersonNotFound,
    block_user,
    follow_user,
    star_user,
    unblock_user,
    unfollow_user,
    unstar_user,
)
from muster.profiles.commands.profile import set_username, update_my_profile

__all__ = [
    "PersonNotFound",
    "block_user",
    "follow_user",
    "set_username",
    "star_user",
    "unblock_user",
    "unfollow_user",
    "unstar_user",
    "update_my_profile",
]
