"""The check at the start that every permission anybody speaks of is declared."""

from collections.abc import Mapping

from muster.access.roles import PERMISSIONS, ROLES
from muster.kit.caller import Permission
from muster.kit.commands.command import COMMANDS
from muster.kit.declaration import Declaration
from muster.kit.processes import CannotRun
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.views.query import QUERIES


def declarations() -> dict[str, Declaration]:
    """Everything that is declared by now, by its name."""
    return {**COMMANDS, **QUERIES, **SUBSCRIPTIONS}


def undeclared(declared: Mapping[str, Declaration], roles: Mapping[str, frozenset[Permission]] = ROLES) -> list[str]:
    """Every permission that an endpoint or a role names and the catalogue does not know, as sentences."""
    named = [(f"{name} asks for", each.permission) for name, each in declared.items() if each.permission is not None]
    named += [(f"the role {role} gives", each) for role, bundle in roles.items() for each in sorted(bundle)]
    return [
        f"{who} {permission}, which is no permission; declare it in access/roles.py, or correct its name"
        for who, permission in named
        if permission not in PERMISSIONS
    ]


def refuse_undeclared() -> None:
    """Stop a process before it serves what asks for a permission that there is not.

    Raises CannotRun with each of them.
    """
    if problems := undeclared(declarations()):
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise CannotRun(f"Muster does not start with these declarations:\n{listed}")
