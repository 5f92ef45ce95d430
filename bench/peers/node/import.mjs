// A file of conferences into one community, as one writes such a script: row by row, a hundred rows a transaction.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import pg from 'pg'

const [file, source, tenant, owner] = process.argv.slice(2)
const BATCH = 100
const STATEMENTS = {
  owner: 'select id from users where email = $1',
  known: 'select id, source_digest as digest from events where tenant_id = $1 and source = $2 and source_id = $3',
  event: `insert into events (tenant_id, id, owner_id, title, description, starts_at, ends_at, timezone, meeting_kind,
      online_url, url, city, country, latitude, longitude, join_mode, mode, min, visibility, status, published_at,
      joined_count, last_queue_number, created_at, version, updated_at, source, source_id, source_digest)
    values ($1, uuidv7(), $2, $3, '', $4::timestamp at time zone $6, $5::timestamp at time zone $6, $6, $7, $8, $9, $10,
      $11, $12, $13, 'OPEN', 'CUSTOM', 1, 'PUBLIC', 'PUBLISHED', now(), 1, 0, now(), 1, now(), $14, $15, $16) returning id`,
  tag: 'insert into event_tags (tenant_id, id, event_id, tag) values ($1, uuidv7(), $2, $3)',
  room: 'insert into rooms (tenant_id, id, last_sequence) values ($1, $2, 0)',
  place: `insert into event_members (tenant_id, id, event_id, user_id, role, status, asked_at, joined_at)
    values ($1, uuidv7(), $2, $3, 'OWNER', 'JOINED', now(), now())`,
  seat: `insert into room_seats (tenant_id, id, room_id, user_id, read_sequence, told_sequence)
    values ($1, uuidv7(), $2, $3, 0, 0)`
}
const client = new pg.Client({ connectionString: process.env.PEER_DATABASE })
await client.connect()
const ask = async (name, ...values) => (await client.query({ name, text: STATEMENTS[name], values })).rows[0]
const hash = text => createHash('sha256').update(text).digest('hex').slice(0, 32)

function check (row) {
  if (typeof row.name !== 'string' || row.name.trim() === '') throw new Error('a name is missing')
  if (Number.isNaN(Date.parse(row.start_date)) || Number.isNaN(Date.parse(row.end_date ?? row.start_date))) {
    throw new Error(`${row.name}: a day cannot be read`)
  }
  return row
}

async function bring (row, line, ownerId) {
  const sourceId = hash([row.name, row.start_date, row.city ?? ''].join('\n'))
  const known = await ask('known', tenant, source, sourceId)
  const digest = hash(line)
  if (known?.digest === digest) return
  if (known !== undefined) throw new Error('a changed row; this script is measured on new and unchanged ones')
  const kind = row.online ? (row.city ? 'HYBRID' : 'ONLINE') : 'ONSITE'
  const last = new Date(Date.parse(row.end_date ?? row.start_date) + 86_400_000).toISOString().slice(0, 10)
  const { id } = await ask('event', tenant, ownerId, row.name.slice(0, 60), row.start_date, last, row.timezone ?? 'UTC',
    kind, row.online ? row.url : null, row.url, row.city, row.country, row.latitude, row.longitude, source, sourceId, digest)
  for (const tag of new Set(row.topics)) await ask('tag', tenant, id, tag.toLowerCase())
  await ask('room', tenant, id)
  await ask('place', tenant, id, ownerId)
  await ask('seat', tenant, id, ownerId)
}

const { id: ownerId } = await ask('owner', owner)
let open = 0
for await (const line of createInterface({ input: createReadStream(file) })) {
  if (open === 0) await client.query('begin')
  await bring(check(JSON.parse(line)), line, ownerId)
  if (++open === BATCH) {
    await client.query('commit')
    open = 0
  }
}
if (open > 0) await client.query('commit')
await client.end()
