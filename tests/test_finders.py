"""Every declared filter and order is an index condition for the role that serves, and finders use their own index.

A condition whose operator is not leakproof would be a filter over all rows of the tenant, silently.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import BinaryExpression, ColumnClause, ColumnElement, literal_column
from sqlalchemy.sql.visitors import iterate

import muster.slices  # noqa: F401 - declares every query
from muster.access.gate import GATE
from muster.events.cities.near import NearCity
from muster.kit.arguments import Instant
from muster.kit.caller import Claim, Origin
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls
from muster.kit.ids import new_id
from muster.kit.views.compiler import Compiler
from muster.kit.views.derived import Derived
from muster.kit.views.fields import table_of
from muster.kit.views.near import Near
from muster.kit.views.page_arguments import PageShape
from muster.kit.views.paging import WholeNumber
from muster.kit.views.picks import Pick, SlotValues, whole, whole_page
from muster.kit.views.plans import compile_plan
from muster.kit.views.query import QUERIES, Query
from muster.kit.views.view import VIEWS
from muster.testing.matrix import of_tenant

TENANT, OTHER = UUID(int=1), UUID(int=2)
VIEWER, EVENT = UUID(int=10), UUID(int=20)
ROWS = 4000

# What one tenant holds. `:tenant` is its id, `:viewer` one of its people, `:event` one of its events and of its messages.
FILL = """
insert into tenants (id, slug, name, is_default, allows_unverified, created_at)
values (':tenant', ':tenant', 'T', false, false, now());
insert into tenants (id, slug, name, is_default, allows_unverified, created_at, is_listed, kind, country)
select gen_random_uuid(), ':tenant ' || n, 'Town ' || n, false, false, now() + n * interval '1 second', true,
       (array['CLUB', 'SCHOOL', 'COMPANY', 'CONGREGATION', 'COMMUNITY'])[n % 5 + 1], 'W' || n % 200
  from generate_series(1, 4000) as n;
insert into users (id, name, email, created_at)
select case when n = 1 then ':viewer'::uuid else gen_random_uuid() end, 'P', ':tenant ' || n, now()
  from generate_series(1, 4000) as n;
insert into members (tenant_id, id, user_id, role, status, joined_at) select ':tenant', gen_random_uuid(), id,
       (array['account_officer', 'admin', 'moderator', 'inspector', 'participant', 'spectator'])[n % 6 + 1],
       (array['ACTIVE', 'ACTIVE', 'SUSPENDED', 'LEFT', 'REMOVED'])[n % 5 + 1], now() + n * interval '1 second'
  from (select id, split_part(email, ' ', 2)::int - 1 as n from users where email like ':tenant %') as people;
create temporary table numbered on commit drop as
select user_id, row_number() over (order by user_id) as n from members where tenant_id = ':tenant';
insert into invitations (tenant_id, id, way, email, role, status, made_by, created_at, expires_at, uses, letters,
                         letters_since)
select ':tenant', case when n = 1 then ':event'::uuid else gen_random_uuid() end, (array['MAIL', 'LINK'])[n % 2 + 1],
       case when n % 2 = 0 then n || '@example.org' end, 'participant',
       (array['PENDING', 'ACCEPTED', 'DECLINED', 'REVOKED'])[n % 4 + 1], user_id, now() + n * interval '1 second', now(),
       0, 0, now() from numbered;
insert into invitation_uses (tenant_id, id, invitation_id, user_id, used_at)
select ':tenant', gen_random_uuid(), ':event', user_id, now() + n * interval '1 second' from numbered;
insert into join_requests (tenant_id, id, user_id, status, created_at)
select ':tenant', gen_random_uuid(), user_id, (array['PENDING', 'APPROVED', 'REJECTED', 'CANCELLED'])[n % 4 + 1],
       now() + n * interval '1 second' from numbered;
insert into teams (tenant_id, id, name, visibility, created_at)
select ':tenant', case when n = 1 then ':event'::uuid else gen_random_uuid() end, 'Team ' || n, 'PUBLIC',
       now() + n * interval '1 second' from generate_series(1, 4000) as n;
insert into team_members (tenant_id, id, team_id, user_id, role, joined_at)
select ':tenant', gen_random_uuid(), ':event', user_id, 'OWNER', now() + n * interval '1 second' from numbered;
insert into team_requests (tenant_id, id, team_id, user_id, made_by, way, role, status, created_at)
select ':tenant', gen_random_uuid(), team_id, user_id, user_id, 'ASKED', 'MEMBER',
       (array['PENDING', 'REJECTED'])[n % 2 + 1], now() + n * interval '1 second'
  from (select user_id, ':event'::uuid as team_id, n from numbered
        union all select ':viewer', id, row_number() over () from teams where tenant_id = ':tenant' and id <> ':event') as all_;
insert into events (tenant_id, id, owner_id, title, description, starts_at, ends_at, timezone, meeting_kind, join_mode,
                    mode, min, visibility, status, city, country, joined_count, last_queue_number, created_at, version,
                    updated_at, cancelled_at, latitude, longitude, levels, language, price, currency, max)
select ':tenant', case when n = 1 then ':event'::uuid else gen_random_uuid() end, user_id, 'Event ' || n, word,
       now() + n * interval '1 hour', now() + (n + 1) * interval '1 hour', 'UTC', (array['ONSITE', 'ONLINE', 'HYBRID'])[k],
       (array['OPEN', 'REQUEST', 'INVITE_ONLY'])[k], (array['ONE_TO_ONE', 'GROUP', 'CUSTOM'])[k], 1, 'PUBLIC',
       (array['DRAFT', 'CANCELLED', 'PUBLISHED'])[least(n % 9 + 1, 3)], initcap(word), initcap(word), n % 150, 0,
       now() - n * interval '1 minute', 1, now(), now(), n % 89, n % 179,
       case n % 40 when 0 then '{BEGINNER}'::text[] else '{}' end, word, n % 300, word, case k when 1 then greatest(n % 150, 1) end
  from (select *, 'word' || n % 200 as word, n % 3 + 1 as k from numbered) as numbered;
insert into event_title_words select ':tenant', gen_random_uuid(), md5(n::text), 1 from generate_series(1, 4000) as n;
insert into domains (tenant_id, id, name, token, added_at)
select ':tenant', gen_random_uuid(), 'd' || n || '.example', 'T', now() + n * interval '1 second' from numbered;
insert into event_tags (tenant_id, id, event_id, tag)
select tenant_id, gen_random_uuid(), id, description from events where tenant_id = ':tenant';
insert into event_agenda_items (tenant_id, id, event_id, position, title, description)
select ':tenant', gen_random_uuid(), ':event', n, 'T', '' from generate_series(1, 4000) as n;
insert into event_announcements (tenant_id, id, event_id, author_id, audience, content, created_at)
select ':tenant', gen_random_uuid(), ':event', ':viewer', '{JOINED}', 'C', now() + n * interval '1 second' from numbered;
insert into event_faqs (tenant_id, id, event_id, position, question, answer)
select ':tenant', gen_random_uuid(), ':event', n, 'Q', 'A' from generate_series(1, 4000) as n;
insert into event_resources (tenant_id, id, event_id, position, title, url, audience)
select ':tenant', gen_random_uuid(), ':event', n, 'T', 'https://example.org', 'PUBLIC' from generate_series(1, 4000) as n;
insert into topics (tenant_id, id, kind, slug, names, created_at, updated_at)
select ':tenant', gen_random_uuid(), (array['CATEGORY', 'TAG'])[n % 2 + 1], 'word' || n, '{}', now(), now()
  from generate_series(1, 4000) as n;
insert into cities
select gen_random_uuid(), 'W', chr(65 + n % 26) || chr(65 + n / 26 % 26), n, n % 89, n % 179, 'UTC', '{}',
       to_tsvector('simple', 'word' || n), 'T' from generate_series(1, 4000) as n;
insert into event_categories (tenant_id, id, event_id, topic_id)
select ':tenant', gen_random_uuid(), e.id, t.id
  from (select id, row_number() over (order by id) as n from events where tenant_id = ':tenant') as e
       join (select id, row_number() over (order by id) as n from topics where tenant_id = ':tenant') as t using (n);
insert into event_invite_links (tenant_id, id, event_id, code, uses, made_by_id, created_at)
select ':tenant', case n when 1 then ':event' else gen_random_uuid() end, ':event', n, 0, user_id, now() from numbered;
insert into event_invite_link_uses select ':tenant', gen_random_uuid(), ':event', user_id, now() from numbered;
insert into event_invitations
select ':tenant', gen_random_uuid(), ':event', user_id, null, (array['PENDING', 'REVOKED'])[n % 2 + 1], user_id,
       now() + n * interval '1 second', null, case n % 2 when 1 then now() end from numbered;
insert into event_members (tenant_id, id, event_id, user_id, role, status, asked_at, queue_number, attendance)
select ':tenant', gen_random_uuid(), ':event', user_id, 'PARTICIPANT',
       (array['JOINED', 'WAITLIST', 'LEFT', 'KICKED'])[n % 4 + 1], now() + n * interval '1 second',
       case when n % 4 = 1 then n end, case when n % 200 = 0 then 'NO_SHOW' end from numbered;
insert into event_member_changes (tenant_id, id, event_id, user_id, deed, status, role, at)
select ':tenant', gen_random_uuid(), ':event', ':viewer', 'JOIN', 'JOINED', 'PARTICIPANT', now() + n * interval '1 second'
  from numbered;
insert into rooms (tenant_id, id, last_sequence) select tenant_id, id, 4000 from events where tenant_id = ':tenant';
insert into room_seats (tenant_id, id, room_id, user_id, read_sequence, told_sequence)
select tenant_id, gen_random_uuid(), id, ':viewer', 2000, 0 from rooms where tenant_id = ':tenant'
union all select ':tenant', gen_random_uuid(), ':event', user_id, 0, 0 from numbered where user_id <> ':viewer';
insert into messages (tenant_id, id, room_id, sequence, author_id, content, created_at)
select ':tenant', case when n = 1 then ':event'::uuid else gen_random_uuid() end, ':event', n, ':viewer', 'Hello', now()
  from generate_series(1, 4000) as n;
insert into message_versions (tenant_id, id, message_id, author_id, content, written_at)
select ':tenant', gen_random_uuid(), ':event', ':viewer', 'Hallo', now() + n * interval '1 second' from numbered;
insert into sessions (id, user_id, generation, created_at, refreshed_at, expires_at)
select gen_random_uuid(), ':viewer', 0, now() + n * interval '1 second', now(), now() + interval '1 day' from numbered;
insert into passkeys (id, user_id, credential, public_key, sign_count, name, created_at)
select gen_random_uuid(), ':viewer', gen_random_uuid(), '', 0, 'A phone', now() + n * interval '1 second' from numbered;
insert into ties (id, from_id, to_id, kind, created_at)
select gen_random_uuid(), ':viewer', user_id, kind, now() + n * interval '1 second'
  from numbered, unnest(array['STAR', 'FOLLOW']) as kind where user_id <> ':viewer'
union all
select gen_random_uuid(), user_id, ':viewer', kind, now() + n * interval '1 second'
  from numbered, unnest(array['STAR', 'FOLLOW']) as kind where user_id <> ':viewer';
insert into blocks (id, user_id, blocked_id, created_at)
select gen_random_uuid(), ':viewer', user_id, now() + n * interval '1 second' from numbered where user_id <> ':viewer'
union all
select gen_random_uuid(), user_id, ':viewer', now() from numbered where user_id <> ':viewer' and n % 9 = 0;
insert into impersonations (id, staff_id, user_id, community_id, session_id, why, ticket, started_at, expires_at)
select gen_random_uuid(), ':viewer', ':viewer', ':tenant', gen_random_uuid(), 'To help', 'S-1', now() + n * interval '1 second',
       now() + n * interval '1 second' from numbered;
insert into external_identities (id, user_id, provider, issuer, subject, email, created_at, used_at)
select gen_random_uuid(), ':viewer', 'p', ':tenant', n, 'm', now() + n * interval '1 second', now() from numbered;
insert into notifications (tenant_id, id, user_id, fact_id, kind, data, created_at)
select ':tenant', gen_random_uuid(), ':viewer', gen_random_uuid(), 'K', '{}', now() + n * interval '1 second' from numbered;
insert into api_keys (tenant_id, id, user_id, name, hash, hint, scopes, networks, created_at)
select ':tenant', gen_random_uuid(), ':viewer', 'K', '', '', '{}', '{}', now() + n * interval '1 second' from numbered;
insert into calendar_feeds (tenant_id, id, user_id, scope, event_id, created_at)
select tenant_id, gen_random_uuid(), ':viewer', 'EVENT', id, created_at from events where tenant_id = ':tenant';
insert into reminder_choices (tenant_id, id, user_id, event_id, leads, by_mail, changed_at)
select tenant_id, gen_random_uuid(), ':viewer', id, '{}', true, created_at from events where tenant_id = ':tenant';
insert into event_sponsorships
select ':tenant', gen_random_uuid(), ':event', n, 'BOOST', 'PRO', -1, 0, 0, 0, null, null, now() from numbered;
insert into event_favourites select tenant_id, gen_random_uuid(), ':viewer', id, now() from rooms where tenant_id = ':tenant';
insert into audit_rows (tenant_id, id, at, actor_kind, actor_id, acted_as, verb, outcome, object_kind, object_id, request_id)
select ':tenant', gen_random_uuid(), now() + n * interval '1 second', 'person', user_id, user_id, 'word' || n % 200,
       (array['done', 'done', 'word7'])[n % 3 + 1], 'Event', user_id, 'r' from numbered;
"""

# What is derived is a handful of rows, most of them code.
LISTS = {
    name: query for name, query in QUERIES.items() if query.paged and not isinstance(table_of(query.view), Derived)
}
OF_ONE_PERSON = {
    "myAuditEntries": "audit_rows",
    "myEventMemberships": "event_members",
    "myEvents": "event_members",
    "myTenants": "communities_of",
    "userEventMemberships": "event_members",
}
"""Lists of what one person takes part in, by the table or finder that is entered by them: few rows are left to sort."""
FILTERS = [(name, each) for name, query in LISTS.items() if name not in OF_ONE_PERSON for each in query.view.filters]
ORDERS = [(name, each) for name, query in LISTS.items() for each in query.view.orders]
FINDERS = sorted({each.finder for view in VIEWS.values() for each in view.filters.values() if each.finder})


@pytest.fixture(scope="module")
def filled(module_urls: Urls, server: EmbeddedPostgres) -> Urls:
    """Two tenants with thousands of rows in every list."""
    # Rows whose commit is not on disk yet are not vacuumed as visible to all, and that decides what an index answers.
    # A replica takes rows without looking up what each points at, which takes longer than all else.
    written = "-c synchronous_commit=on -c session_replication_role=replica"
    database = str(conninfo_to_dict(module_urls.owner)["dbname"])
    with psycopg.connect(server.superuser_url(database), options=written) as connection:
        for number, tenant in enumerate((TENANT, OTHER)):
            names = {":tenant": tenant, ":viewer": UUID(int=10 + number), ":event": UUID(int=20 + number)}
            script = FILL
            for name, value in names.items():
                script = script.replace(name, str(value))
            connection.execute(script.encode())
            connection.commit()
    with psycopg.connect(module_urls.owner, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
    with psycopg.connect(module_urls.owner, options="-c muster.maintenance=on") as connection:
        for table in {table_of(query.view) for name, query in LISTS.items() if name not in OF_ONE_PERSON}:
            whose = "is_listed or id = $1" if table.name == "tenants" else of_tenant(table)
            count = f"select count(*) from {table.name} where {whose.replace('$1', '%s')}"  # noqa: S608 - our own names
            row = connection.execute(count.encode(), [TENANT]).fetchone()
            assert row is not None
            assert row[0] >= ROWS, f"fill {table.name} with some thousand rows: its plans say nothing otherwise"
    return module_urls


@pytest.mark.parametrize(("name", "filter_name"), FILTERS)
def test_every_filter_is_an_index_condition(filled: Urls, name: str, filter_name: str) -> None:
    query = LISTS[name]
    declared = query.view.filters[filter_name]
    orders = query.view.orders
    # Where a finder ranks, what it found is looked up; in another order the planner may rather walk that order's index.
    order = next((each for each in orders if orders[each].ranked_by == filter_name), next(iter(orders)))
    plan = _explained(filled, query, order, filters=(filter_name,))
    # A finder's result is looked up by its ids.
    table, column = (table_of(query.view).name, "id") if declared.finder else _compared(query, filter_name)
    scans = list(_scans(plan, table))
    conditions = " ".join(str(scan.get("Index Cond", "")) for scan in scans)
    assert scans
    assert re.search(rf"\b{column}\b", conditions), json.dumps(plan)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("cursor", [False, True])
@pytest.mark.parametrize(("name", "order"), ORDERS)
def test_every_order_is_read_from_an_index(
    filled: Urls, name: str, order: str, *, cursor: bool, backwards: bool
) -> None:
    query = LISTS[name]
    ranked_by = query.view.orders[order].ranked_by
    filters = (ranked_by,) if ranked_by else ()
    plan = _explained(filled, query, order, filters=filters, cursor=cursor, backwards=backwards)
    table = table_of(query.view).name
    # What a finder found is sorted by its rank, and what is one person's by its order; nothing else is sorted.
    if name in OF_ONE_PERSON:
        entry = [scan.get("Index Cond", scan.get("Function Name")) for scan in _scans(plan, OF_ONE_PERSON[name])]
        # What is of somebody in two ways is found by two indexes, whose rows are put together.
        both = {"actor_id", "acted_as"} <= set(re.findall(r"\w+", str(list(_conditions(plan)))))
        assert "user_id" in str(entry) or set(entry) == {"communities_of"} or both, json.dumps(plan)
    elif not ranked_by and not query.view.orders[order].leads:
        assert not _sorted_whole(plan, table), json.dumps(plan)
    if cursor and not ranked_by and name not in OF_ONE_PERSON:
        first = query.view.orders[order].columns[0]
        conditions = " ".join(str(scan.get("Index Cond", "")) for scan in _scans(plan, table))
        # PostgreSQL quotes names that are words of SQL as well.
        assert re.search(rf'\((ROW\()?"?{first}"?( [<>]|,)', conditions), json.dumps(plan)


@pytest.mark.parametrize("finder", [*FINDERS, "finders.spelled"])
def test_every_finder_uses_an_index_that_row_security_would_forbid(
    filled: Urls, server: EmbeddedPostgres, finder: str
) -> None:
    database = str(conninfo_to_dict(filled.owner)["dbname"])
    with psycopg.connect(server.superuser_url(database)) as connection:
        found = connection.execute("select prosrc from pg_proc where oid = %s::regproc", [finder]).fetchone()
        assert found is not None
        body = re.sub(r"\bwords\b", "'word7'", found[0])
        connection.execute("set local role muster_finder")
        connection.execute(f"set local muster.tenant = '{TENANT}'")
        row = connection.execute(f"explain (format json) {body}".encode()).fetchone()
    assert ("_similar_idx" if "spelled" in finder else "_search_idx") in json.dumps(row)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("myNotificationBadge", "notifications_unread_idx"),
        ("myEventChat", "messages_author_idx"),
        ("myEventChat", "messages_deleted_idx"),
    ],
)
def test_every_count_is_made_from_an_index_of_its_own(filled: Urls, name: str, index: str) -> None:
    query = QUERIES[name]
    values = {each.name: EVENT for each in query.arguments.parameters}
    # Whether a bitmap looks cheaper hangs on how many pages vacuum found visible to all, which is not the question.
    plan = _planned(filled, query, Pick("", "", 0, whole(query.view)), SlotValues(values, ()), "enable_bitmapscan=off")
    assert re.search(rf'"Node Type": "Index Only Scan"[^{{}}]*"{index}"', json.dumps(plan)), json.dumps(plan)


def _compared(query: Query, filter_name: str) -> tuple[str, str]:
    """The table and the column that a filter compares with the value."""
    declared = query.view.filters[filter_name]
    assert declared.condition is not None
    given = literal_column("given", declared.sql_type)
    condition = declared.condition(table_of(query.view).columns, given)
    comparisons = [each for each in iterate(condition) if isinstance(each, BinaryExpression)]
    left = next(each.left for each in comparisons if any(part is given for part in iterate(each.right)))
    column: Any = next(each for each in iterate(left) if isinstance(each, ColumnClause))
    return getattr(column.table, "element", column.table).name, column.key


def _explained(
    urls: Urls,
    query: Query,
    order: str,
    *,
    filters: tuple[str, ...] = (),
    cursor: bool = False,
    backwards: bool = False,
) -> dict[str, Any]:
    """The plan of a list as the role that serves plans it, with the values of a request."""
    table, declared = table_of(query.view), query.view.orders[order]
    keys = [0.5] if declared.ranked_by else [datetime.now(UTC), 0] if declared.leads else []
    cursor_values = [*keys, *(_EXAMPLES[table.columns[name].type.python_type] for name in declared.columns)]
    values: dict[str, Any] = {"size": 20, "tag": "tag"}
    values |= {each.name: EVENT if each.name.endswith("_id") else each.default for each in query.arguments.parameters}
    values |= {f"filter_{name}": _bound_example(query, name) for name in filters}
    values |= {f"cursor_{number}": key for number, key in enumerate(cursor_values)}
    flags = tuple((key, value) for key, value in values.items() if isinstance(value, bool) or value is None)
    slot = SlotValues(values, PageShape(order, backwards, cursor, filters, flags, filters))
    return _planned(urls, query, whole_page(query.view, 0), slot)


def _planned(urls: Urls, query: Query, pick: Pick, slot: SlotValues, *settings: str) -> dict[str, Any]:
    """The plan of a read as the role that serves plans it."""

    def body(compiler: Compiler) -> ColumnElement[str]:
        return query.compile(compiler, pick)

    plan = compile_plan(GATE, [slot], [body])
    origin = Origin(Claim(TENANT, VIEWER, new_id()), datetime.now(UTC), "test")
    return _explain(urls, plan.sql.text, plan.arguments(origin, [slot]), *settings)


def _explain(urls: Urls, text: str, arguments: list[object], *settings: str) -> dict[str, Any]:
    """The one plan for all values, which is what the pool asks PostgreSQL to run."""
    always = ("enable_seqscan=off", "jit=off", "plan_cache_mode=force_generic_plan")
    options = " ".join(f"-c {setting}" for setting in (*always, *settings))
    with psycopg.connect(urls.app, options=options, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(f"set local muster.tenant = '{TENANT}'")
        connection.execute(f"prepare read as {text}".encode())
        places = ", ".join(["%s"] * len(arguments))
        row = connection.execute(f"explain (format json) execute read ({places})".encode(), arguments).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


_EXAMPLES: dict[type, object] = {datetime: datetime.now(UTC), UUID: EVENT, int: 7, str: "ONLINE"}


def _bound_example(query: Query, name: str) -> object:
    return query.view.filters[name].bound(_example_of_filter(query, name))


def _example_of_filter(query: Query, name: str) -> object:
    kind = query.view.filters[name].type
    plain: dict[Any, object] = {
        Instant: datetime.now(UTC),
        bool: True,
        WholeNumber: 7,
        NearCity: NearCity(city=EVENT, radius_km=9.0),
        Near: Near(latitude=7.0, longitude=7.0, radius_km=9.0),
    }
    if query.view.filters[name].takes_several:
        return ["ONLINE"]
    if kind in plain:
        return plain[kind]
    if isinstance(kind, type) and issubclass(kind, str) and kind is not str:
        return str(next(iter(kind)))  # type: ignore[call-overload]  # an enumeration of strings
    return VIEWER if kind is UUID else "word7"


def _conditions(plan: dict[str, Any]) -> Iterator[str]:
    """The conditions of the indexes that a plan puts together into bitmaps."""
    if plan["Node Type"] == "Bitmap Index Scan":
        yield plan["Index Cond"]
    for each in plan.get("Plans", []):
        yield from _conditions(each)


def _scans(plan: dict[str, Any], table: str) -> Iterator[dict[str, Any]]:
    """The scans of a table or a function anywhere in a plan; of a bitmap, the scans of its indexes."""
    if table in (plan.get("Relation Name"), plan.get("Function Name")):
        yield plan
        if plan["Node Type"] == "Bitmap Heap Scan":
            yield from (below for below in plan["Plans"] if "Index Cond" in below)
    for below in plan.get("Plans", ()):
        yield from _scans(below, table)


def _sorted_whole(plan: dict[str, Any], table: str, *, below_sort: bool = False) -> bool:
    """Whether a table's rows are sorted before a limit has cut them to a page; what is asked of each row is none of them."""
    if plan["Node Type"] == "Limit":
        below_sort = False
    if below_sort and plan.get("Relation Name") == table:
        return True
    inside = below_sort or plan["Node Type"] == "Sort"
    return any(
        _sorted_whole(below, table, below_sort=inside and "Subplan Name" not in below)
        for below in plan.get("Plans", ())
    )
