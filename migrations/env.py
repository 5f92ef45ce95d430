"""How a revision runs: as the owner, over psycopg, each in its own transaction, never waiting long for a lock."""

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool

# A migration that waits for a lock makes everybody behind it wait too: better to fail and try again.
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "60s"


def connect() -> psycopg.Connection[tuple[object, ...]]:
    """The owner's connection with the timeouts every revision starts with."""
    connection = psycopg.connect(context.config.attributes["url"])
    connection.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
    connection.execute("SELECT set_config('statement_timeout', %s, false)", [STATEMENT_TIMEOUT])
    connection.commit()
    return connection


engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
