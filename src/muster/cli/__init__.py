"""The command line: each verb in a few lines. `muster up` is all a fresh machine needs."""

from muster.cli.app import main

__all__ = ["main"]
