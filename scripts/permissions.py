"""Who may do what, as the code declares it, in docs/security/permissions.md.

With --write it is written down; without, it is compared, and the exit code is 1 where they differ.
"""

import sys
from pathlib import Path

import muster.slices  # noqa: F401 - it declares every endpoint
from muster.access.roles import OWNER_ALONE, PERMISSIONS, PLATFORM_ALONE, ROLES, STAFF
from muster.kit.caller import Allow, Permission
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.views.query import QUERIES

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "security" / "permissions.md"
HEAD = """# Permissions

Written from the code by `make permissions`; `make check` fails when it is out of date, and `tests/test_permissions.py` tries
every endpoint that asks for a permission as every role.

A role gives permissions; what nobody declared, no role gives. A community may make roles of its own: a built-in one, what is
added and what is taken away, and nobody puts into a role, or gives with one, what they do not hold. Whether an object is
theirs to touch is asked after this, by the endpoint itself: the owner of an event changes it without a permission.

## Permissions

| permission | allows to | given by |
| --- | --- | --- |
"""
COMMANDS_HEAD = """
## Commands

*may come in*: `whoever` and `anyone` need no session; `signed_in` a session, `verified` a known mail too, `member` a place in the
community. *proof*: it asks who calls it to have shown within 10 minutes who they are. *for others*: whether the platform's
staff may do it who acts as somebody.

| command | address | may come in | permission | proof | for others |
| --- | --- | --- | --- | --- | --- |
"""
READS_HEAD = """
## Reads and streams with a permission

All others are for whom their view lets see the rows.

| read | may come in | permission |
| --- | --- | --- |
"""


def document() -> str:
    """The document."""
    reads = [each for each in (*QUERIES.values(), *SUBSCRIPTIONS.values()) if each.permission is not None]
    return "".join(
        [
            HEAD,
            *(permission_line(each) for each in PERMISSIONS),
            COMMANDS_HEAD,
            *(command_line(COMMANDS[name]) for name in sorted(COMMANDS)),
            READS_HEAD,
            *(
                f"| `{each.name}` | {each.allow} | `{each.permission}` |\n"
                for each in sorted(reads, key=lambda each: each.name)
            ),
        ]
    )


def permission_line(permission: Permission) -> str:
    """The row of one permission."""
    roles = [role for role in ROLES if permission in ROLES[role]]
    note = ""
    if permission in OWNER_ALONE:
        note = "; no role of a community's own"
    if permission in PLATFORM_ALONE:
        note = f"; `{STAFF}` is the role of the platform's own people, in the platform's tenant"
    given = ", ".join(f"`{role}`" for role in roles)
    return f"| `{permission}` | {PERMISSIONS[permission]} | {given}{note} |\n"


def command_line(command: Command) -> str:
    """The row of one command."""
    asked = "" if command.permission is None else f"`{command.permission}`"
    open_to_all = command.allow in (Allow.WHOEVER, Allow.ANYONE)
    others = "" if open_to_all else "no" if command.in_person else "yes"
    proof = "yes" if command.step_up else ""
    address = f"{command.route.method} {command.route.path}"
    return f"| `{command.name}` | `{address}` | {command.allow} | {asked} | {proof} | {others} |\n"


def main() -> None:
    """Write the document down, or say that it is not as the code has it."""
    if "--write" in sys.argv:
        DOCUMENT.write_text(document())
    elif not DOCUMENT.exists() or DOCUMENT.read_text() != document():
        sys.exit("docs/security/permissions.md is not what the code declares: run `make permissions`.")
    else:
        print(f"permissions: {len(PERMISSIONS)} are explained as the code has them")


if __name__ == "__main__":
    main()
