"""How long the database may take: kept by the server, so that no request holds a lock or a connection for long."""

from dataclasses import dataclass

from muster.kit.sources import Source

_LONGEST = 86_400


@dataclass(frozen=True)
class TimeLimits:
    """In whole seconds; what takes longer is rolled back, and its client told to come again.

    The figures are those of the reference for production, except for `idle`, which it does not have.

    Attributes:
        statement: one statement, its wait for locks included.
        lock: one wait for a lock.
        transaction: a whole transaction.
        idle: a transaction that waits for us, and holds its locks meanwhile.
        connection: a request without a connection of the pool.
    """

    statement: int = 30
    lock: int = 15
    transaction: int = 30
    idle: int = 15
    connection: int = 10

    def of_server(self) -> dict[str, str]:
        """Those that the server keeps, as it names them."""
        return {
            "statement_timeout": f"{self.statement}s",
            "lock_timeout": f"{self.lock}s",
            "transaction_timeout": f"{self.transaction}s",
            "idle_in_transaction_session_timeout": f"{self.idle}s",
        }


SERVING = TimeLimits()
"""For whoever serves people who wait."""
PATIENT = TimeLimits(statement=60, lock=30, transaction=60, connection=30)
"""For work that nobody waits for, and on a machine where somebody looks into what happens."""


def read_time_limits(source: Source, default: TimeLimits, *, whose: str, name: str) -> TimeLimits:
    """The settings that begin with a name. whose: for their meaning."""

    def seconds(word: str, usual: int, meaning: str) -> int:
        return source.number(f"{name}_{word}_TIMEOUT", usual, 1, _LONGEST, f"seconds {meaning}, in {whose}")

    return TimeLimits(
        statement=seconds("STATEMENT", default.statement, "that a statement may take"),
        lock=seconds("LOCK", default.lock, "that it may wait for a lock"),
        transaction=seconds("TRANSACTION", default.transaction, "that a transaction may take"),
        idle=seconds("IDLE", default.idle, "that a transaction may stand idle"),
        connection=seconds("POOL", default.connection, "that a connection is waited for"),
    )
