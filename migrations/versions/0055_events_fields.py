"""events: who sees where they are and who takes part, more of what they are, a moment to publish them, one owner."""

from alembic import op

from muster.kit.db.isolation import grant, note_changes
from muster.kit.db.migrate import roles

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_DISCLOSURES = "('PUBLIC', 'AFTER_JOIN', 'HIDDEN')"
# A square of some five kilometres, the same one for all that lies in it (`events/tables/event.py`).
_LATITUDE = "round(latitude * 20) / 20"
_SQUARES = f"greatest(1, round(20 * cos(radians({_LATITUDE}))))"
_LONGITUDE = f"round(longitude * {_SQUARES}) / {_SQUARES}"


def upgrade() -> None:
    _defaults()
    _disclosure()
    _fields()
    _schedule()
    _noted()
    # An event has one owner, whoever hands it over at the same time.
    op.execute(
        "create unique index event_members_owner_idx on event_members (tenant_id, event_id) where role = 'OWNER'"
    )


def _defaults() -> None:
    for name in ("default_address_visibility", "default_members_visibility"):
        op.execute(
            f"alter table profiles add column {name} text not null default 'PUBLIC', "
            f"add constraint profiles_{name}_check check ({name} in {_DISCLOSURES})"
        )
        grant("profiles", app=f"update ({name})")


def _disclosure() -> None:
    for name in ("address_visibility", "members_visibility"):
        op.execute(
            f"alter table events add column {name} text not null default 'PUBLIC', "
            f"add constraint events_{name}_check check ({name} in {_DISCLOSURES})"
        )
    op.execute("drop index events_point_idx")
    latitude, longitude = _shown("latitude", _LATITUDE), _shown("longitude", _LONGITUDE)
    op.execute(
        f"alter table events add column shown_latitude double precision generated always as ({latitude}) stored, "
        f"add column shown_longitude double precision generated always as ({longitude}) stored, "
        # The map draws what everybody may know of.
        f"alter column map_x set expression as (map_column({longitude})), "
        f"alter column map_y set expression as (map_row({latitude})), "
        f"alter column map_cell set expression as (map_cell(map_column({longitude}), map_row({latitude})))"
    )
    op.execute(
        "create index events_point_idx on events (tenant_id, shown_latitude, shown_longitude, id) "
        "where shown_latitude is not null"
    )
    grant("events", app="update (address_visibility, members_visibility)")


def _shown(exact: str, coarse: str) -> str:
    return f"case when address_visibility = 'PUBLIC' then {exact} else {coarse} end"


def _fields() -> None:
    op.execute(
        """
        alter table events
          add column notes text, add column place text, add column place_id text,
          add column radius_km double precision,
          add column levels text[] not null default '{}', add column language text,
          add column price bigint not null default 0, add column currency text,
          add column appearance jsonb, add column cover_url text, add column gallery text[] not null default '{}',
          add column description_html text not null default '',
          add constraint events_price_check check (price >= 0 and (price = 0 or currency is not null)),
          add constraint events_radius_check check (radius_km between 0 and 10),
          add constraint events_levels_check check (levels <@ array['BEGINNER', 'INTERMEDIATE', 'ADVANCED'])
        """
    )
    # What was plain text until now looks the same.
    op.execute("set local muster.maintenance = 'on'")
    op.execute(
        """
        update events set description_html = '<p>' || replace(replace(replace(
          description, '&', '&amp;'), '<', '&lt;'), '>', '&gt;') || '</p>' where description <> ''
        """
    )
    op.execute("set local muster.maintenance = 'off'")
    columns = (
        "notes, place, place_id, radius_km, levels, language, price, currency, appearance, cover_url, gallery, "
        "description_html"
    )
    grant("events", app=f"update ({columns})")


def _noted() -> None:
    note_changes(
        "events",
        columns=(
            *(
                "status",
                "published_at",
                "publish_at",
                "cancelled_at",
                "starts_at",
                "ends_at",
                "timezone",
                "meeting_kind",
            ),
            *("owner_id", "join_mode", "mode", "min", "max", "visibility", "address_visibility", "members_visibility"),
            *("join_opens_minutes_before_start", "join_cutoff_minutes_before_start", "allow_join_late"),
            *("late_join_cutoff_minutes_after_start", "may_ask_again", "join_closed_at", "join_closed_by_id"),
            *("radius_km", "levels", "language", "price", "currency"),
        ),
        masked=(
            *("title", "description", "online_url", "url", "address", "city", "country", "cancel_reason"),
            *("join_close_reason", "notes", "place", "place_id", "cover_url", "gallery"),
        ),
    )


def _schedule() -> None:
    op.execute(
        """
        alter table events
          drop constraint events_status_check,
          add column publish_at timestamptz,
          add constraint events_status_check
            check (status in ('DRAFT', 'SCHEDULED', 'PUBLISHED', 'CANCELLED', 'DELETED')),
          add constraint events_scheduled_check check ((status = 'SCHEDULED') = (publish_at is not null))
        """
    )
    # Across tenants, since that is how the schedule looks for them.
    op.execute("create index events_due_idx on events (publish_at) where status = 'SCHEDULED'")
    op.execute(
        """
        create function finders.tenants_with_due_events(moment timestamptz) returns table (tenant_id uuid)
        language sql stable security definer set search_path = pg_catalog, public as $$
          select distinct e.tenant_id from public.events e where e.status = 'SCHEDULED' and e.publish_at <= moment
        $$
        """
    )
    op.execute(f"grant execute on function finders.tenants_with_due_events(timestamptz) to {roles().worker}")
    op.execute(f"alter function finders.tenants_with_due_events(timestamptz) owner to {roles().finder}")
    due = "status, published_at, publish_at, version, updated_at"
    grant("events", app="update (publish_at)", worker=f"update ({due})")
