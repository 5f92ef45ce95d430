"""What is always true of an event's places and queue, as questions that find what is wrong, and a guard in the database.

The guard looks after each statement that seats somebody or offers them places, inside its transaction: whom it finds in front
of them was overtaken.
"""

from uuid import UUID

import asyncpg

ALWAYS = {
    "more heads have a place, or are offered one, than the event holds": """
        select joined_count, held_count, max from events where id = $1 and joined_count + held_count > max""",
    "the counters are not what counting gives": """
        select e.joined_count, e.held_count, c.seated, c.held from events e, lateral (
          select coalesce(sum(party_size) filter (where status = 'JOINED'), 0) as seated,
                 coalesce(sum(party_size) filter (where offer_expires_at is not null), 0) as held
            from event_members m where m.event_id = e.id) c
         where e.id = $1 and (e.joined_count <> c.seated or e.held_count <> c.held)""",
    "two wait at one number": """
        select queue_number from event_members where event_id = $1 and queue_number is not null
         group by 1 having count(*) > 1""",
    "somebody who waits has no number, or a number who does not wait": """
        select user_id, status, queue_number from event_members
         where event_id = $1 and (status = 'WAITLIST') <> (queue_number is not null)""",
    "a number was given that the event has not drawn": """
        select m.queue_number, e.last_queue_number from event_members m join events e on e.id = m.event_id
         where e.id = $1 and greatest(m.queue_number, m.asked_number) > e.last_queue_number""",
    "a place is free for who is next": """
        select w.user_id, w.party_size, e.max - e.joined_count - e.held_count
          from events e, lateral (
            select m.user_id, m.party_size from event_members m
             where m.event_id = e.id and m.queue_number is not null and m.offer_expires_at is null
               and (e.max is null or m.party_size <= greatest(1, e.max - 1))
             order by case when e.waitlist_policy = 'BEST_FIT' then m.party_size end, m.queue_number limit 1) w
         where e.id = $1 and e.join_closed_at is null and w.party_size <= coalesce(e.max - e.joined_count - e.held_count, 6)""",
    "who has a place has no seat in the room, or the other way round": """
        select m.user_id, s.user_id
          from (select user_id from event_members where event_id = $1 and status = 'JOINED') m
          full join (select user_id from room_seats where room_id = $1) s on s.user_id = m.user_id
         where m.user_id is null or s.user_id is null""",
    "a link was used more often than it may be, or not as often as it counts": """
        select l.id, l.uses, l.max_uses from event_invite_links l
         where l.event_id = $1 and (l.uses > l.max_uses
            or l.uses <> (select count(*) from event_invite_link_uses u where u.link_id = l.id))""",
    "the last row of a history is not what the membership is": """
        select m.user_id, m.status, last.status from event_members m
          left join lateral (select c.status from event_member_changes c
                              where c.event_id = m.event_id and c.user_id = m.user_id order by c.id desc limit 1) last on true
         where m.event_id = $1 and m.status is distinct from last.status""",
    "who is invited has no invitation that waits, or one waits of who is not": """
        select m.user_id, i.user_id
          from (select user_id from event_members where event_id = $1 and status = 'INVITED') m
          full join (select user_id from event_invitations
                      where event_id = $1 and status = 'PENDING' and expires_at is null) i on i.user_id = m.user_id
         where m.user_id is null or i.user_id is null""",
    "a letter was accepted by nobody, or by who has not come": """
        select i.id, i.user_id from event_invitations i
         where i.event_id = $1 and i.status = 'ACCEPTED'
           and not exists (select from event_member_changes c
                            where c.event_id = $1 and c.user_id = i.user_id and c.status in ('JOINED', 'WAITLIST'))""",
    "who came as invited was not answered for once": """
        select came, answered from
          (select count(*) as came from event_member_changes where event_id = $1 and deed = 'ACCEPT') c,
          (select count(*) as answered from facts
            where aggregate_id = $1 and kind = 'event.invitation_answered' and (data->>'accepted')::boolean) a
         where came <> answered""",
    "something that was done has not one row in the history and one fact": """
        select deeds, facts from
          (select count(*) as deeds from event_member_changes
            where event_id = $1 and deed not in ('INVITE', 'UNINVITE', 'DECLINE')) h,
          (select count(*) as facts from facts where aggregate_id = $1 and kind in (
             'event.created', 'event.joined', 'event.requested', 'event.waitlisted', 'event.approved', 'event.rejected',
             'event.withdrawn', 'event.promoted', 'event.left', 'event.kicked', 'event.banned', 'event.unbanned',
             'event.offer_lapsed')) f
         where deeds <> facts""",
}
"""What would be wrong of an event at any moment, and the statement that finds it."""

OVERTAKEN = "select * from overtaken"
"""Who went before whom, out of turn."""

_GUARD = """
create table overtaken (event_id uuid, seated uuid, waits uuid);
grant insert on overtaken to public;
create function note_overtaken(event uuid, person uuid, size bigint, number bigint) returns void language sql as $$
  insert into public.overtaken
  select event, person, w.user_id from public.events e join public.event_members w
    on w.tenant_id = e.tenant_id and w.event_id = e.id and w.queue_number < coalesce(number, e.last_queue_number + 1)
   and w.offer_expires_at is null and (e.max is null or w.party_size <= greatest(1, e.max - 1))
   and (e.waitlist_policy = 'FIFO_STRICT' or w.party_size <= size)
   -- Who came in the same transaction came later.
   and w.xmin <> pg_current_xact_id()::xid
   where e.id = event
$$;
grant execute on function note_overtaken to public;
create function guard_who_waits() returns trigger language plpgsql as $$
begin
  -- Who was offered places had their turn then.
  -- Who asked has had their number since.
  perform public.note_overtaken(n.event_id, n.user_id, n.party_size,
                                coalesce(o.queue_number, case o.status when 'PENDING' then o.asked_number end))
    from now_is n join was o on o.id = n.id
    where n.role <> 'OWNER' and o.offer_expires_at is null
      and (n.status = 'JOINED' and o.status <> 'JOINED' or n.offer_expires_at is not null);
  return null;
end $$;
create function guard_who_comes() returns trigger language plpgsql as $$
begin
  perform public.note_overtaken(n.event_id, n.user_id, n.party_size, null) from now_is n
    where n.role <> 'OWNER' and n.status = 'JOINED';
  return null;
end $$;
create trigger guard_who_waits after update on event_members
  referencing old table as was new table as now_is for each statement execute function guard_who_waits();
create trigger guard_who_comes after insert on event_members
  referencing new table as now_is for each statement execute function guard_who_comes();
"""


async def guard(owner: asyncpg.Connection) -> None:
    """Have the database look who is overtaken, from now on."""
    await owner.execute(_GUARD)


async def wrongs_of(owner: asyncpg.Connection, event_id: UUID) -> list[str]:
    """A sentence for everything that is wrong with an event now, with the first rows that show it."""
    found = []
    for sentence, question in ALWAYS.items():
        rows = await owner.fetch(question, event_id)
        if rows:
            found.append(f"{sentence}: {[tuple(row) for row in rows[:3]]}")
    return found
