// Every statement of the peer, each prepared once per connection.
import pg from 'pg'

// Moments as ISO 8601 straight from PostgreSQL's own text, which is cheaper than going through Date.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, text => text.replace(' ', 'T') + ':00')
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

// What GraphQL's events are made of.
const EVENT = `e.id, e.title, e.description, e.starts_at as "startsAt", e.ends_at as "endsAt", e.timezone,
  e.meeting_kind as "meetingKind", e.address, e.max, e.joined_count as "joinedCount", e.owner_id as "ownerId"`
const SEATED = `exists (select from event_members m where m.tenant_id = $1 and m.event_id = e.id
  and m.user_id = $2 and m.status = 'JOINED')`
const VISIBLE = `(e.status = 'PUBLISHED' and e.visibility = 'PUBLIC' or ${SEATED})`
// And REST's whole ones.
const WHOLE = `${EVENT}, e.url, e.city, e.country, e.latitude, e.longitude, e.join_mode as "joinMode", e.mode, e.min,
  e.visibility, e.status, e.published_at as "publishedAt", e.cancelled_at as "cancelledAt",
  e.cancel_reason as "cancelReason", e.created_at as "createdAt", e.updated_at as "updatedAt", e.version,
  u.name as "ownerName", case when ${SEATED} then e.online_url end as "onlineUrl",
  array(select t.tag from event_tags t where t.tenant_id = $1 and t.event_id = e.id order by t.tag) as tags`

const STATEMENTS = {
  caller: `select m.role, exists (select from sessions s where s.id = $3 and s.user_id = $2
      and s.revoked_at is null and s.expires_at > now()) as session
    from tenants t left join members m on m.tenant_id = t.id and m.user_id = $2 and m.status = 'ACTIVE'
    where t.id = $1`,
  event: `select ${EVENT} from events e where e.tenant_id = $1 and e.id = $3 and ${VISIBLE}`,
  wholeEvent: `select ${WHOLE} from events e join users u on u.id = e.owner_id
    where e.tenant_id = $1 and e.id = $3 and ${VISIBLE}`,
  events: `select ${EVENT} from events e where e.tenant_id = $1 and ${VISIBLE}
    order by e.starts_at, e.id limit $3`,
  wholeEvents: `select ${WHOLE} from events e join users u on u.id = e.owner_id
    where e.tenant_id = $1 and ${VISIBLE} order by e.starts_at, e.id limit $3`,
  users: 'select u.id, u.name from users u where u.id = any($1)',
  members: `select m.* from unnest($2::uuid[]) as wanted(event_id) cross join lateral (
      select m.event_id as "eventId", m.id, m.status, m.role, m.user_id as "userId" from event_members m
      where m.tenant_id = $1 and m.event_id = wanted.event_id and m.status = 'JOINED'
      order by m.asked_at, m.id limit $3) as m`,
  lockEvent: `select e.max, e.joined_count as "joinedCount", e.status, e.join_mode as "joinMode",
      e.last_queue_number as "lastNumber", exists (
        select from event_members m where m.tenant_id = $1 and m.event_id = $2 and m.queue_number is not null) as queue
    from events e where e.tenant_id = $1 and e.id = $2 and e.ends_at > now() for no key update of e`,
  membership: 'select id, status, role from event_members where tenant_id = $1 and event_id = $2 and user_id = $3',
  putMember: `insert into event_members
      (tenant_id, id, event_id, user_id, role, status, asked_at, joined_at, queue_number)
    values ($1, uuidv7(), $2, $3, 'PARTICIPANT', $4, now(), case when $5::int is null then now() end, $5::int)
    returning id, status, role`,
  takePlace: 'update events set joined_count = joined_count + 1 where tenant_id = $1 and id = $2',
  takeNumber: 'update events set last_queue_number = $3 where tenant_id = $1 and id = $2',
  putSeat: `insert into room_seats (tenant_id, id, room_id, user_id, read_sequence, told_sequence)
    select $1, uuidv7(), $2, $3, last_sequence, last_sequence from rooms where tenant_id = $1 and id = $2`,
  renew: `update sessions set generation = generation + 1, refreshed_at = now()
    where id = $1 and generation = $2 and revoked_at is null and expires_at > now() returning user_id as "userId"`,
  revoke: 'update sessions set revoked_at = now() where id = $1 and generation > $2 and revoked_at is null',
  seated: 'select 1 from room_seats where tenant_id = $1 and room_id = $2 and user_id = $3',
  say: `with next as (
      update rooms r set last_sequence = last_sequence + 1
      where r.tenant_id = $1 and r.id = $2
        and exists (select from room_seats s where s.tenant_id = $1 and s.room_id = $2 and s.user_id = $3)
      returning last_sequence
    ), said as (
      insert into messages (tenant_id, id, room_id, sequence, author_id, content, created_at)
      select $1, uuidv7(), $2, last_sequence, $3, $4, now() from next returning id, content, sequence
    )
    select said.*, u.name as author from said join users u on u.id = $3`
}

export function open (connectionString, max, tenant) {
  // The same plan for all values, as ours has it: planning each execution anew would cost the peer dearly.
  const pool = new pg.Pool({ connectionString, max, options: '-c plan_cache_mode=force_generic_plan' })

  async function rows (name, ...values) {
    return (await pool.query({ name, text: STATEMENTS[name], values })).rows
  }

  async function first (...asked) {
    return (await rows(...asked))[0] ?? null
  }

  // One transaction: the event's lock, the check, the membership, the seat in its room or a number in the queue.
  async function join (eventId, userId) {
    const client = await pool.connect()
    const ask = async (name, ...values) => (await client.query({ name, text: STATEMENTS[name], values })).rows[0]
    try {
      await client.query('begin')
      const event = await ask('lockEvent', tenant, eventId)
      if (event?.status !== 'PUBLISHED' || event.joinMode !== 'OPEN') throw new Error('JOIN_CLOSED')
      let member = await ask('membership', tenant, eventId, userId)
      if (member === undefined) {
        const free = event.max === null || event.joinedCount < event.max
        const number = free && !event.queue ? null : event.lastNumber + 1
        member = await ask('putMember', tenant, eventId, userId, number === null ? 'JOINED' : 'WAITLIST', number)
        if (number === null) {
          await ask('takePlace', tenant, eventId)
          await ask('putSeat', tenant, eventId, userId)
        } else {
          await ask('takeNumber', tenant, eventId, number)
        }
      }
      await client.query('commit')
      return member
    } catch (error) {
      await client.query('rollback')
      throw error
    } finally {
      client.release()
    }
  }

  return {
    caller: (userId, sessionId) => first('caller', tenant, userId, sessionId),
    event: (userId, id) => first('event', tenant, userId, id),
    wholeEvent: (userId, id) => first('wholeEvent', tenant, userId, id),
    events: (userId, count) => rows('events', tenant, userId, count),
    wholeEvents: (userId, count) => rows('wholeEvents', tenant, userId, count),
    users: ids => rows('users', ids),
    members: (eventIds, count) => rows('members', tenant, eventIds, count),
    join,
    renew: (sessionId, generation) => first('renew', sessionId, generation),
    revoke: (sessionId, generation) => rows('revoke', sessionId, generation),
    seated: async (roomId, userId) => await first('seated', tenant, roomId, userId) !== null,
    say: (roomId, userId, content) => first('say', tenant, roomId, userId, content),
    close: () => pool.end()
  }
}
