"""Row-level security: the helpers that migrations call.

A tenant's rows are visible only while `muster.tenant` names that tenant. Foreign keys and unique constraints ignore
row security, so every key of a tenant table begins with `tenant_id` too.
"""

from collections.abc import Sequence

from alembic import op

from muster.kit.db.migrate import roles
from muster.kit.db.tables import MAINTENANCE_SETTING, TENANT_SETTING

_CURRENT_TENANT = f"(select nullif(current_setting('{TENANT_SETTING}', true), '')::uuid)"


def isolate(table: str, *, app: str, worker: str | None = None, append_only: bool = False) -> None:
    """Keep the rows of a tenant table apart, in a migration.

    app, worker: what each runtime role may do, as in GRANT (`select, insert, update (title)`); the worker the same
    as the app when absent, nothing when empty.
    append_only: nobody updates or deletes, not even by a grant given later (a trigger refuses).
    """
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy {table}_tenant on {table} to {roles().app}, {roles().worker} "
        f"using (tenant_id = {_CURRENT_TENANT}) with check (tenant_id = {_CURRENT_TENANT})"
    )
    op.execute(
        f"create policy {table}_maintenance on {table} to {roles().owner} "
        f"using (current_setting('{MAINTENANCE_SETTING}', true) = 'on')"
    )
    grant(table, app=app, worker=app if worker is None else worker)
    if append_only:
        op.execute(
            f"create trigger {table}_append_only before update or delete on {table} "
            "for each row execute function refuse_change()"
        )


def cross(table: str, role: str, *, command: str, reason: str) -> None:
    """Let one role reach across tenants on one table, in a migration.

    role: `worker` or `finder`. command: `select`, `insert`, `update`, `delete` or `all`.
    reason: kept as the policy's comment, from where `docs/security/` prints it.
    """
    name = f"{table}_cross_{role}_{command}"
    grantee = {"worker": roles().worker, "finder": roles().finder}[role]
    check = " with check (true)" if command in ("update", "all") else ""
    condition = "with check (true)" if command == "insert" else "using (true)" + check
    op.execute(f"create policy {name} on {table} for {command} to {grantee} {condition}")
    quoted = reason.replace("'", "''")
    op.execute(f"comment on policy {name} on {table} is '{quoted}'")
    if role == "finder":
        op.execute(f"grant {command} on {table} to {grantee}")


def global_table(table: str, *, reason: str, app: str, worker: str | None = None) -> None:
    """Declare in a migration that a table stands outside all tenants, and grant its columns.

    app, worker: what each runtime role may do, by column (`select (id, name), update (name)`); as in `isolate`.
    """
    quoted = reason.replace("'", "''")
    op.execute(f"comment on table {table} is 'global: {quoted}'")
    grant(table, app=app, worker=app if worker is None else worker)


def announce_rights(table: str, *, tenant: str | None, user: str | None, columns: Sequence[str]) -> None:
    """Notify every API process, in a migration, when a row that gives somebody a right here is changed or removed.

    tenant, user: the columns that say whose right and where; None is all of them. columns: which changes count.
    """
    changed = " or ".join(f"old.{column} is distinct from new.{column}" for column in columns)
    function = f"execute function announce_rights('{tenant or ''}', '{user or ''}')"
    op.execute(
        f"create trigger {table}_rights_changed after update of {', '.join(columns)} on {table} "
        f"for each row when ({changed}) {function}"
    )
    op.execute(f"create trigger {table}_rights_gone after delete on {table} for each row {function}")


def note_changes(table: str, *, columns: Sequence[str] = (), masked: Sequence[str] = ()) -> None:
    """Have the audit log tell, in a migration, what a command changed in a table: before and after of each column.

    masked: columns of which it tells that they changed, and not from what to what: secrets, and whatever is personal.
    An update that names none of the columns pays nothing. What a command leaves to `ctx.write` is not told.
    """
    noted = [*columns, *masked]
    changed = " or ".join(f"old.{column} is distinct from new.{column}" for column in noted)
    given = ", ".join(f"'{name}'" for name in [*columns, *(f"*{column}" for column in masked)])
    op.execute(f"drop trigger if exists {table}_change_noted on {table}")
    op.execute(f"drop trigger if exists {table}_removal_noted on {table}")
    op.execute(
        f"create trigger {table}_change_noted after update of {', '.join(noted)} on {table} "
        f"for each row when ({changed}) execute function note_change({given})"
    )
    op.execute(
        f"create trigger {table}_removal_noted after delete on {table} "
        f"for each row execute function note_change({given})"
    )


def grant(table: str, *, app: str = "", worker: str = "") -> None:
    """Let the runtime roles do more with a table of an earlier migration. app, worker: as in `isolate`."""
    for privileges, role in ((app, roles().app), (worker, roles().worker)):
        if privileges:
            op.execute(f"grant {privileges} on {table} to {role}")
