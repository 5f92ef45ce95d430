// GraphQL with loaders: one statement per level of the tree, whatever its width.
import { ROOMS, roomResolvers } from './rooms.mjs'

const SCHEMA = `
  scalar DateTime
  scalar UUID
  type PageInfo { endCursor: String hasNextPage: Boolean! }
  type User { id: UUID! name: String! }
  type EventMember { id: UUID! status: String! role: String! user: User! }
  type EventMemberConnection { nodes: [EventMember!]! pageInfo: PageInfo! }
  type Event {
    id: UUID! title: String! description: String! startsAt: DateTime! endsAt: DateTime! timezone: String!
    meetingKind: String! address: String joinedCount: Int! max: Int
    owner: User!
    members(first: Int): EventMemberConnection!
  }
  type EventConnection { nodes: [Event!]! pageInfo: PageInfo! }
  type Query { event(id: UUID!): Event  events(first: Int): EventConnection! }
  type Mutation { joinEvent(eventId: UUID!): EventMember }
`
const DEFAULT_PAGE = 20

function page (rows, wanted) {
  const nodes = rows.slice(0, wanted)
  const last = nodes.at(-1)
  const endCursor = last ? Buffer.from(`${last.startsAt ?? ''} ${last.id}`).toString('base64') : null
  return { nodes, pageInfo: { endCursor, hasNextPage: rows.length > wanted } }
}

const whole = { serialize: String, parseValue: String }

// emitter: carries subscriptions between processes; without one there are none.
export function addGraphql (app, mercurius, database, caller, emitter) {
  const resolvers = {
    DateTime: whole,
    UUID: whole,
    Query: {
      event: (_, { id }, { user }) => database.event(user?.userId, id),
      events: async (_, { first = DEFAULT_PAGE }, { user }) => page(await database.events(user?.userId, first + 1), first)
    },
    Mutation: {
      joinEvent: (_, { eventId }, { user }) => database.join(eventId, user.userId)
    }
  }

  async function usersOf (ids) {
    const found = new Map((await database.users([...new Set(ids)])).map(user => [user.id, user]))
    return ids.map(id => found.get(id))
  }

  const loaders = {
    Event: {
      owner: queries => usersOf(queries.map(({ obj }) => obj.ownerId)),
      async members (queries) {
        const wanted = queries[0].params.first ?? DEFAULT_PAGE
        const byEvent = new Map(queries.map(({ obj }) => [obj.id, []]))
        for (const row of await database.members([...byEvent.keys()], wanted + 1)) byEvent.get(row.eventId).push(row)
        return queries.map(({ obj }) => page(byEvent.get(obj.id), wanted))
      }
    },
    EventMember: {
      user: queries => usersOf(queries.map(({ obj }) => obj.userId))
    }
  }
  const options = { schema: SCHEMA, resolvers, loaders, jit: 1, context: async request => ({ user: await caller(request) }) }
  if (emitter !== undefined) {
    options.schema += ROOMS
    resolvers.Subscription = roomResolvers(database)
    options.subscription = {
      emitter, onConnect: async ({ payload }) => ({ user: await caller({ headers: payload }) })
    }
  }
  app.register(mercurius, options)
}
