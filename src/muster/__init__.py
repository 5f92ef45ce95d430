"""Muster: the application backend for communities that meet, compete and pay."""

from importlib.metadata import version

__version__ = version("muster")
