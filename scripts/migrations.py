"""Compare the tables that the code declares with those that the migrations make, on a PostgreSQL started for it."""

import sys

from muster.testing.migrations import differences
from muster.testing.throwaway import migrated_database


def main() -> None:
    """Print the differences; exit code 1 when there are any."""
    with migrated_database() as urls:
        found = differences(urls)
    if found:
        print("\n".join(found))
        sys.exit("Tables and migrations differ: write a migration, or correct the declaration.")
    print("migrations: they make the tables that the code declares")


if __name__ == "__main__":
    main()
