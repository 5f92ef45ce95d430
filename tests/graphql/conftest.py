"""What tests of GraphQL share: one town, served on a socket."""

import pytest

from muster.testing.town import Town


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    """A town that the tests of a module share."""
    return module_town
