"""Permissions, and the roles that bundle them: the built-in ones here, a community's own in `custom_roles`."""

from collections.abc import Iterable
from functools import lru_cache

from muster.kit.caller import Caller, Permission

EVENT_CREATE = Permission("event:create")
EVENT_MODERATE = Permission("event:moderate")
EVENT_MANAGE = Permission("event:manage")
MEMBER_INVITE = Permission("member:invite")
MEMBER_APPROVE = Permission("member:approve")
MEMBER_SUSPEND = Permission("member:suspend")
MEMBER_REMOVE = Permission("member:remove")
TOPIC_MANAGE = Permission("topic:manage")
TEAM_CREATE = Permission("team:create")
TEAM_MANAGE = Permission("team:manage")
ROLE_ASSIGN = Permission("role:assign")
ROLE_CREATE = Permission("role:create")
ROLE_UPDATE = Permission("role:update")
ROLE_DELETE = Permission("role:delete")
ACCESS_EXPLAIN = Permission("access:explain")
AUDIT_READ = Permission("audit:read")
AUDIT_EXPORT = Permission("audit:export")
KEY_CREATE = Permission("key:create")
KEY_MANAGE = Permission("key:manage")
TENANT_UPDATE = Permission("tenant:update")
TENANT_DOMAIN = Permission("tenant:domain")
TENANT_ARCHIVE = Permission("tenant:archive")
TENANT_TRANSFER = Permission("tenant:transfer")
TENANT_DELETE = Permission("tenant:delete")
TENANT_CREATE = Permission("tenant:create")
TENANT_SUSPEND = Permission("tenant:suspend")
USER_IMPERSONATE = Permission("user:impersonate")

PERMISSIONS: dict[Permission, str] = {
    EVENT_CREATE: "make events",
    EVENT_MODERATE: "publish and moderate events of others",
    EVENT_MANAGE: "see, change, delete and bring back every event, and give it another owner",
    MEMBER_INVITE: "invite people, by mail, by link and in bulk",
    MEMBER_APPROVE: "approve and reject who asks to join",
    MEMBER_SUSPEND: "close the community to a member for a while, and open it again",
    MEMBER_REMOVE: "remove members",
    TOPIC_MANAGE: "make, change and delete categories and tags",
    TEAM_CREATE: "make teams",
    TEAM_MANAGE: "see, change and delete teams of others",
    ROLE_ASSIGN: "give members another role, of those that give no more than one has oneself",
    ROLE_CREATE: "make roles",
    ROLE_UPDATE: "change roles that the community made",
    ROLE_DELETE: "delete roles that the community made",
    ACCESS_EXPLAIN: "see why a member may do something, or may not",
    AUDIT_READ: "read the audit log",
    AUDIT_EXPORT: "export the audit log",
    KEY_CREATE: "make API keys for oneself",
    KEY_MANAGE: "make API keys for the community's own services, see everybody's, revoke any",
    TENANT_UPDATE: "change the community's name, looks, settings, and who may join",
    TENANT_DOMAIN: "give the community addresses of its own",
    TENANT_ARCHIVE: "archive the community, and bring it back",
    TENANT_TRANSFER: "hand the community over to another owner",
    TENANT_DELETE: "delete the community",
    TENANT_CREATE: "found communities where nobody else may",
    TENANT_SUSPEND: "close a community to its members for a while, and open it again",
    USER_IMPERSONATE: "act as somebody, to help them",
}
"""Every permission there is, and what it allows."""

OWNER_ALONE = frozenset({TENANT_TRANSFER, TENANT_DELETE})
"""What no role but the owner's gives."""
PLATFORM_ALONE = frozenset({TENANT_CREATE, TENANT_SUSPEND, USER_IMPERSONATE})
"""What the platform's own staff may do, and nobody by a role in a community, be it the owner's."""
GRANTABLE = frozenset(PERMISSIONS) - OWNER_ALONE - PLATFORM_ALONE
"""What a community may put into a role of its own."""

OWNER, STAFF = "owner", "staff"
"""The role of a community's one owner, and the one of the platform's own people, which only the platform tenant has."""

_TAKES_PART = frozenset({EVENT_CREATE, TEAM_CREATE, KEY_CREATE})

ROLES: dict[str, frozenset[Permission]] = {
    OWNER: frozenset(PERMISSIONS) - PLATFORM_ALONE,
    "admin": GRANTABLE,
    "moderator": _TAKES_PART
    | {EVENT_MODERATE, TOPIC_MANAGE, MEMBER_INVITE, MEMBER_APPROVE, MEMBER_SUSPEND, TEAM_MANAGE},
    "question_manager": _TAKES_PART,
    "account_officer": _TAKES_PART | {AUDIT_READ},
    "inspector": frozenset({AUDIT_READ}),
    "participant": _TAKES_PART,
    "practice_user": frozenset(),
    "spectator": frozenset(),
    STAFF: PLATFORM_ALONE,
}
"""The built-in roles. Nobody edits them; the database knows their names too, and a test compares the two."""

BASES = ROLES.keys() - {OWNER, STAFF}
"""The built-in roles that a member may be given, and that a role of a community's own may begin from."""


def effective(base: str, additions: Iterable[str], removals: Iterable[str]) -> frozenset[Permission]:
    """What a community's own role gives: its base and what is added, less what is taken away, which wins.

    What this release does not know, or what no such role may give, it does not give, whatever the row says.
    """
    given = ROLES.get(base, frozenset()) | {Permission(each) for each in additions}
    return (given - {Permission(each) for each in removals}) & GRANTABLE


# A community has a few roles, and each request of a member with one asks.
_effective = lru_cache(maxsize=1000)(effective)


def permissions_of(caller: Caller) -> frozenset[Permission]:
    """What a caller may do; nothing for a visitor and for a role this release does not know."""
    if caller.custom is not None:
        return _effective(caller.custom.base, caller.custom.additions, caller.custom.removals)
    return frozenset() if caller.role is None else ROLES.get(caller.role, frozenset())
