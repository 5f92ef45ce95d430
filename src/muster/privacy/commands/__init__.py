"""The verbs of privacy."""

from muster.privacy.commands.leaving import delete_account

__all__ = ["delete_account"]
