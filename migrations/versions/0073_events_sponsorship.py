"""events: plans, the book of boosts and local pushes, who agreed to hear of them, and favourites."""

from alembic import op

from muster.kit.db.isolation import grant, isolate

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Defaults stay: the release before this one makes events, profiles and communities without a word of these.
    op.execute(
        """
        alter table events
          add column plan text not null default 'FREE', add column plan_version bigint not null default 1,
          add column boosted_until timestamptz,
          add constraint events_plan_check check (plan in ('FREE', 'PLUS', 'PRO'))
        """
    )
    grant("events", app="update (plan, boosted_until)", worker="update (plan, boosted_until)")
    op.execute("alter table tenants add column limits_events boolean not null default false")
    grant("tenants", app="select (limits_events), update (limits_events)", worker="select (limits_events)")
    op.execute("alter table profiles add column local_push_consent boolean not null default false")
    _book()
    _favourites()


def _book() -> None:
    op.execute(
        """
        create table event_sponsorships (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, number bigint not null, kind text not null,
          plan text not null, boosts bigint not null, pushes bigint not null, boosts_left bigint not null,
          pushes_left bigint not null, source_key text, by_id uuid, created_at timestamptz not null,
          constraint event_sponsorships_pkey primary key (tenant_id, id),
          constraint event_sponsorships_tenant_id_event_id_number_key unique (tenant_id, event_id, number),
          constraint event_sponsorships_tenant_id_source_key_key unique (tenant_id, source_key),
          constraint event_sponsorships_tenant_id_event_id_fkey foreign key (tenant_id, event_id)
            references events (tenant_id, id),
          constraint event_sponsorships_tenant_id_by_id_fkey foreign key (tenant_id, by_id)
            references members (tenant_id, user_id),
          constraint event_sponsorships_kind_check check (kind in ('NEW', 'UPGRADE', 'RELOAD', 'BOOST', 'PUSH')),
          constraint event_sponsorships_plan_check check (plan in ('FREE', 'PLUS', 'PRO')),
          constraint event_sponsorships_left_check check (boosts_left >= 0 and pushes_left >= 0),
          constraint event_sponsorships_source_check check ((kind in ('BOOST', 'PUSH')) = (source_key is null))
        )
        """
    )
    op.execute("create index event_sponsorships_by_idx on event_sponsorships (tenant_id, by_id)")
    isolate("event_sponsorships", app="select, insert", worker="select, insert, delete")
    op.execute(
        """
        create table event_push_hearers (
          tenant_id uuid not null, id uuid not null, heard_at timestamptz not null,
          constraint event_push_hearers_pkey primary key (tenant_id, id),
          constraint event_push_hearers_tenant_id_id_fkey foreign key (tenant_id, id)
            references members (tenant_id, user_id)
        )
        """
    )
    isolate("event_push_hearers", app="select", worker="select, insert, update (heard_at), delete")


def _favourites() -> None:
    op.execute(
        """
        create table event_favourites (
          tenant_id uuid not null, id uuid not null, user_id uuid not null, event_id uuid not null,
          created_at timestamptz not null,
          constraint event_favourites_pkey primary key (tenant_id, id),
          constraint event_favourites_tenant_id_user_id_event_id_key unique (tenant_id, user_id, event_id),
          constraint event_favourites_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id),
          constraint event_favourites_tenant_id_event_id_fkey foreign key (tenant_id, event_id)
            references events (tenant_id, id)
        )
        """
    )
    op.execute("create index event_favourites_newest_idx on event_favourites (tenant_id, user_id, created_at, id)")
    op.execute("create index event_favourites_event_idx on event_favourites (tenant_id, event_id)")
    isolate("event_favourites", app="select, insert, delete", worker="select, delete")
