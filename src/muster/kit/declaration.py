"""What commands, queries and subscriptions have in common: names, slots, arguments, a line of documentation."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from muster.kit.arguments import Arguments
from muster.kit.caller import Allow, Permission
from muster.kit.deprecation import Deprecation
from muster.kit.documentation import Documentation
from muster.kit.errors import AppError, error_named
from muster.kit.limits import FEATURES, LIMITS, Limit


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One declared endpoint. A declaration that is not whole is refused at import, with a TypeError.

    name: in GraphQL. allow: who may come in. permission: what the caller's role must give. limit: the bucket it draws
    from. feature: what the plan must hold. deprecated: that clients should leave it. documentation: what its docstring tells.
    Limits and features are names that must be declared; asking the plan comes later.
    """

    name: str
    arguments: Arguments
    documentation: Documentation
    allow: Allow
    permission: Permission | None
    limit: Limit
    feature: str | None
    deprecated: Deprecation | None

    def __post_init__(self) -> None:
        if LIMITS.get(self.limit.name) is not self.limit:
            raise TypeError(f"{self.name}: there is no limit {self.limit}; declare it with `limit(...)`")
        if self.feature is not None and self.feature not in FEATURES:
            raise TypeError(f"{self.name}: there is no feature {self.feature!r}; declare it in kit/limits.py")

    @property
    def summary(self) -> str:
        """What it does, in one line."""
        return self.documentation.summary

    @cached_property
    def refusals(self) -> list[type[AppError]]:
        """The errors of its own that its clients may meet. Raises TypeError when the docstring names what is none."""
        try:
            return [error_named(name) for name in self.documentation.raises]
        except LookupError as error:
            raise TypeError(f"the docstring of {self.name} says what it raises, but {error}") from None


D = TypeVar("D", bound=Declaration)


def enter(table: dict[str, D], declaration: D) -> None:
    """Put a declaration into the table of its kind. Raises TypeError for a second one of the same name."""
    if declaration.name in table:
        raise TypeError(f"{declaration.name} is declared twice; give one of the two another name")
    table[declaration.name] = declaration
