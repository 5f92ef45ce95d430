"""What the tests of reads share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import muster.slices  # noqa: F401 - importing it declares everything that can be read
from muster.access.gate import GATE
from muster.kit.commands.context import Services
from muster.kit.db.database import Database
from muster.kit.endpoints.graphql.execution import GraphQL
from muster.kit.endpoints.graphql.schema import build_schema
from muster.settings import Settings


def settings() -> Settings:
    """Settings that ask for nothing outside the test."""
    return Settings.load({"MUSTER_ENV": "test", "JWT_SECRET": "x" * 32})


@asynccontextmanager
async def services_on(app_url: str, size: int = 2) -> AsyncIterator[Services]:
    """Services as the API has them, on a small pool."""
    database = await Database.open(app_url, size=size)
    try:
        yield Services(database, settings(), GATE, lambda: None)
    finally:
        await database.close()


@asynccontextmanager
async def graphql_on(app_url: str) -> AsyncIterator[GraphQL]:
    """GraphQL as the API serves it."""
    async with services_on(app_url) as services:
        yield GraphQL(services, build_schema())
