"""The verbs of privacy."""

from muster.privacy.commands.exporting import export_link, open_export, request_export
from muster.privacy.commands.leaving import delete_account

__all__ = ["delete_account", "export_link", "open_export", "request_export"]
