// REST with serialisers made from schemas, which is what makes Fastify fast.
const text = { type: 'string' }
const maybeText = { type: 'string', nullable: true }
const maybeNumber = { type: 'number', nullable: true }
const event = {
  type: 'object',
  properties: {
    id: text, title: text, description: text, startsAt: text, endsAt: text, timezone: text, meetingKind: text,
    onlineUrl: maybeText, url: maybeText, address: maybeText, city: maybeText, country: maybeText, latitude: maybeNumber, longitude: maybeNumber, joinMode: text, mode: text,
    min: { type: 'integer' }, max: { type: 'integer', nullable: true }, visibility: text, status: text,
    publishedAt: maybeText, cancelledAt: maybeText, cancelReason: maybeText, joinedCount: { type: 'integer' },
    tags: { type: 'array', items: text }, createdAt: text, updatedAt: text, version: { type: 'integer' },
    owner: { type: 'object', properties: { id: text, name: text } }
  }
}
const events = {
  type: 'object',
  properties: {
    items: { type: 'array', items: event },
    pageInfo: { type: 'object', properties: { endCursor: maybeText, hasNextPage: { type: 'boolean' } } }
  }
}

function withOwner (row) {
  row.owner = { id: row.ownerId, name: row.ownerName }
  return row
}

export function addRest (app, database, caller) {
  const id = { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } }
  app.get('/api/v1/events/:id', { schema: { params: id, response: { 200: event } } }, async (request, reply) => {
    const user = await caller(request)
    const row = await database.wholeEvent(user?.userId, request.params.id)
    return row === null ? reply.code(404).send({ code: 'NOT_FOUND' }) : withOwner(row)
  })

  const first = { type: 'integer', minimum: 0, maximum: 100, default: 20 }
  const query = { type: 'object', properties: { first } }
  app.get('/api/v1/events', { schema: { querystring: query, response: { 200: events } } }, async request => {
    const user = await caller(request)
    const rows = await database.wholeEvents(user?.userId, request.query.first + 1)
    const items = rows.slice(0, request.query.first).map(withOwner)
    const last = items.at(-1)
    const endCursor = last ? Buffer.from(`${last.startsAt} ${last.id}`).toString('base64') : null
    return { items, pageInfo: { endCursor, hasNextPage: rows.length > items.length } }
  })
}
