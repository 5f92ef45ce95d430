"""events: reminders, and the search for tenants in which one is due."""

from alembic import op

from muster.kit.db.isolation import isolate
from muster.kit.db.migrate import roles

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

_LEADS = "'PT24H', 'PT12H', 'PT6H', 'PT3H', 'PT1H', 'PT30M', 'PT15M'"


def upgrade() -> None:
    op.execute(
        f"""
        create table reminder_choices (
          tenant_id uuid not null, id uuid not null, user_id uuid not null, event_id uuid, leads text[] not null,
          by_mail boolean not null, changed_at timestamptz not null,
          constraint reminder_choices_pkey primary key (tenant_id, id),
          constraint reminder_choices_one_key unique nulls not distinct (tenant_id, user_id, event_id),
          constraint reminder_choices_tenant_id_user_id_fkey
            foreign key (tenant_id, user_id) references members (tenant_id, user_id),
          constraint reminder_choices_tenant_id_event_id_fkey
            foreign key (tenant_id, event_id) references events (tenant_id, id),
          constraint reminder_choices_leads_check check (leads <@ array[{_LEADS}])
        )
        """
    )
    op.execute("create index reminder_choices_newest_idx on reminder_choices (tenant_id, user_id, changed_at, id)")
    op.execute(
        f"""
        create table reminder_rounds (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, kind text not null,
          at timestamptz not null, made_at timestamptz not null,
          constraint reminder_rounds_pkey primary key (tenant_id, id),
          constraint reminder_rounds_tenant_id_event_id_kind_at_key unique (tenant_id, event_id, kind, at),
          constraint reminder_rounds_tenant_id_event_id_fkey
            foreign key (tenant_id, event_id) references events (tenant_id, id),
          constraint reminder_rounds_kind_check check (kind in ({_LEADS}, 'FEEDBACK'))
        )
        """
    )
    op.execute(
        "create unique index reminder_rounds_feedback_idx on reminder_rounds (tenant_id, event_id) where kind = 'FEEDBACK'"
    )
    isolate(
        "reminder_choices",
        app="select, insert, update (leads, by_mail, changed_at), delete",
        worker="select, delete",
    )
    isolate("reminder_rounds", app="select", worker="select, insert, delete")
    _search()


def _search() -> None:
    """Across tenants, since that is how the schedule looks; a policy for the worker would open every read of events."""
    op.execute("create index events_starting_idx on events (starts_at, tenant_id) where status = 'PUBLISHED'")
    op.execute("create index events_ending_idx on events (ends_at, tenant_id) where status = 'PUBLISHED'")
    op.execute(
        """
        create function finders.tenants_with_times(moment timestamptz, leads int[], lates int[], since_end int)
        returns table (tenant_id uuid)
        language sql stable security definer rows 10 set search_path = pg_catalog, public as $$
          select e.tenant_id from unnest(leads, lates) as w (lead, late) join public.events e
              on e.status = 'PUBLISHED' and e.starts_at > moment + make_interval(mins => w.lead - w.late)
             and e.starts_at <= moment + make_interval(mins => w.lead)
          union
          select e.tenant_id from public.events e
           where e.status = 'PUBLISHED' and e.ends_at > moment - make_interval(mins => 2 * since_end)
             and e.ends_at <= moment - make_interval(mins => since_end)
        $$
        """
    )
    function = "finders.tenants_with_times(timestamptz, int[], int[], int)"
    op.execute(f"revoke execute on function {function} from public")
    op.execute(f"grant execute on function {function} to {roles().worker}")
    op.execute(f"alter function {function} owner to {roles().finder}")
