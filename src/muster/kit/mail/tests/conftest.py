"""Tables of contents of the test's own, as for the worker."""

from muster.kit.work.tests.conftest import own_tables

__all__ = ["own_tables"]
