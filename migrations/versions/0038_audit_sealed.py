"""audit: rows that wait for their seal, seals, checkpoints, and what a command changed."""

from alembic import op

from muster.kit.db.isolation import cross, grant, isolate, note_changes
from muster.kit.db.migrate import roles

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _rows()
    _unsealed()
    _seals()
    _changes()
    _noted()


def _rows() -> None:
    op.execute(
        """
        alter table audit_rows
          add column acted_as uuid,
          add column changes jsonb,
          add column chain text not null default 'USUAL',
          add column salt uuid default gen_random_uuid(),
          add constraint audit_rows_chain_check check (chain in ('USUAL', 'MONEY'))
        """
    )
    op.execute(
        "create index audit_rows_actor_idx on audit_rows (tenant_id, actor_id, at, id) where actor_id is not null"
    )
    op.execute(
        "create index audit_rows_acted_as_idx on audit_rows (tenant_id, acted_as, at, id) where acted_as is not null"
    )
    op.execute(
        "create index audit_rows_object_idx on audit_rows (tenant_id, object_id, at, id) where object_id is not null"
    )
    op.execute("create index audit_rows_verb_idx on audit_rows (tenant_id, verb, at, id)")
    op.execute("create index audit_rows_refused_idx on audit_rows (tenant_id, outcome, at, id) where outcome <> 'done'")
    # What is sealed stays as it is, but for two things that the law asks for: what says who somebody was may be taken
    # away, and old rows go. Whoever may do more in the database has to switch this off, and the seals tell.
    op.execute(
        """
        create function guard_audit_row() returns trigger language plpgsql as $$
        begin
          if tg_op = 'DELETE' then
            if old.at < now() - (case old.chain when 'MONEY' then interval '7 years' else interval '90 days' end) then
              return old;
            end if;
          elsif (new.tenant_id, new.id, new.at, new.actor_kind, new.actor_id, new.acted_as, new.reason, new.verb,
                 new.outcome, new.object_kind, new.object_id, new.request_id, new.chain)
                is not distinct from
                (old.tenant_id, old.id, old.at, old.actor_kind, old.actor_id, old.acted_as, old.reason, old.verb,
                 old.outcome, old.object_kind, old.object_id, old.request_id, old.chain)
                and new.address is null and new.agent is null and new.changes is null and new.salt is null then
            return new;
          end if;
          raise exception 'rows of audit_rows are only ever added' using errcode = 'insufficient_privilege';
        end $$
        """
    )
    op.execute("drop trigger audit_rows_append_only on audit_rows")
    op.execute(
        "create trigger audit_rows_guarded before update or delete on audit_rows "
        "for each row execute function guard_audit_row()"
    )
    grant("audit_rows", worker="update (address, agent, changes, salt), delete")


def _unsealed() -> None:
    op.execute(
        """
        create table audit_unsealed (
          tenant_id uuid not null, id uuid not null,
          constraint audit_unsealed_pkey primary key (tenant_id, id)
        )
        """
    )
    op.execute("select set_config('muster.maintenance', 'on', true)")
    op.execute("insert into audit_unsealed (tenant_id, id) select tenant_id, id from audit_rows")
    op.execute("select set_config('muster.maintenance', '', true)")
    isolate("audit_unsealed", app="select, insert", worker="select, insert, delete")
    cross("audit_unsealed", "worker", command="select", reason="the sealer finds the tenants whose audit rows wait")


def _seals() -> None:
    op.execute(
        """
        create table audit_seals (
          tenant_id uuid not null, id uuid not null, chain text not null, number bigint not null,
          before bigint not null, entries bytea not null, mac bytea not null, key_id text not null,
          at timestamptz not null,
          constraint audit_seals_pkey primary key (tenant_id, id),
          constraint audit_seals_tenant_id_chain_number_key unique (tenant_id, chain, number),
          constraint audit_seals_chain_check check (chain in ('USUAL', 'MONEY'))
        )
        """
    )
    op.execute(
        """
        create table audit_checkpoints (
          tenant_id uuid not null, id uuid not null, chain text not null, number bigint not null,
          rows bigint not null, seal_mac bytea not null, mac bytea not null, key_id text not null,
          at timestamptz not null,
          constraint audit_checkpoints_pkey primary key (tenant_id, id),
          constraint audit_checkpoints_tenant_id_chain_number_key unique (tenant_id, chain, number),
          constraint audit_checkpoints_chain_check check (chain in ('USUAL', 'MONEY'))
        )
        """
    )
    isolate("audit_seals", app="select", worker="select, insert, delete")
    isolate("audit_checkpoints", app="select", worker="select, insert", append_only=True)
    op.execute(
        """
        create function guard_audit_seal() returns trigger language plpgsql as $$
        begin
          if tg_op = 'DELETE'
             and old.at < now() - (case old.chain when 'MONEY' then interval '7 years' else interval '90 days' end) then
            return old;
          end if;
          raise exception 'rows of audit_seals are only ever added' using errcode = 'insufficient_privilege';
        end $$
        """
    )
    op.execute(
        "create trigger audit_seals_guarded before update or delete on audit_seals "
        "for each row execute function guard_audit_seal()"
    )


def _changes() -> None:
    # The changes of a command gather in a setting of its transaction, from where its audit row takes them.
    op.execute(
        """
        create function note_change() returns trigger language plpgsql as $$
        declare
          was jsonb := to_jsonb(old);
          became jsonb := case tg_op when 'UPDATE' then to_jsonb(new) end;
          noted text := coalesce(current_setting('muster.changes', true), '');
          before jsonb;
          after jsonb;
        begin
          -- One command rarely touches many rows; of one that does, the first tell enough.
          if length(noted) > 16000 then
            return null;
          end if;
          select jsonb_object_agg(name, case when hidden and was->>name is not null then '"***"' else was->name end),
                 jsonb_object_agg(name, case when hidden and became->>name is not null then '"***"' else became->name end)
            into before, after
            from (select ltrim(given, '*') as name, given like '*%' as hidden from unnest(tg_argv) as given) as columns
           where was->name is distinct from became->name;
          perform set_config('muster.changes', (coalesce(nullif(noted, ''), '[]')::jsonb || jsonb_build_object(
            'table', tg_table_name, 'id', was->'id', 'before', before,
            'after', case tg_op when 'UPDATE' then after end))::text, true);
          return null;
        end $$
        """
    )
    op.execute(
        """
        create function take_changes() returns jsonb language plpgsql as $$
        declare
          noted text := coalesce(current_setting('muster.changes', true), '');
        begin
          if noted = '' then
            return null;
          end if;
          perform set_config('muster.changes', '', true);
          return noted::jsonb;
        end $$
        """
    )
    op.execute(f"grant execute on function take_changes() to {roles().app}, {roles().worker}")


def _noted() -> None:
    note_changes(
        "events",
        columns=(
            "status",
            "published_at",
            "cancelled_at",
            "starts_at",
            "ends_at",
            "timezone",
            "meeting_kind",
            "join_mode",
            "mode",
            "min",
            "max",
            "visibility",
        ),
        masked=("title", "description", "online_url", "url", "address", "city", "country", "cancel_reason"),
    )
    note_changes("event_members", columns=("role",))
    note_changes("members", columns=("role", "custom_role", "status"))
    note_changes("custom_roles", columns=("name", "colour", "base", "additions", "removals"))
    note_changes(
        "tenants",
        columns=(
            "slug", "name", "is_default", "allows_unverified", "kind", "locale", "timezone", "country", "is_listed",
            "join_policy", "requires_mfa", "max_members", "status", "status_reason", "deletes_at", "logo_url", "primary_colour", "accent_colour", "terms",
        ),
    )  # fmt: skip
    note_changes("users", columns=("verified_at",), masked=("name", "email"))
    note_changes("passwords", masked=("hash",))
