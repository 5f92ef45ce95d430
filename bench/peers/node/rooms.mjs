// Rooms: what is said goes into the database, then through Redis to every process that has somebody listening.
//
// Who may listen is asked when the subscription begins, and not again at each message, as ours does.
const topic = room => `room:${room}`

export const ROOMS = `
  type Message { id: UUID! content: String author: User! }
  type MessageAdded { cursor: String! message: Message! }
  type Subscription { eventMessageAdded(eventId: UUID!): MessageAdded! }
`

export function roomResolvers (database) {
  return {
    eventMessageAdded: {
      async subscribe (_, { eventId }, { user, pubsub }) {
        if (!await database.seated(eventId, user?.userId)) throw new Error('NOT_IN_ROOM')
        return pubsub.subscribe(topic(eventId))
      }
    }
  }
}

export function addRooms (app, database, caller) {
  const params = { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } }
  const body = {
    type: 'object', required: ['content'], properties: { content: { type: 'string', minLength: 1, maxLength: 2000 } }
  }
  const text = { type: 'string' }
  const answer = { type: 'object', properties: { id: text, content: text, sequence: { type: 'integer' } } }
  app.post('/api/v1/events/:id/messages', { schema: { params, body, response: { 201: answer } } },
    async (request, reply) => {
      const user = await caller(request)
      const message = await database.say(request.params.id, user?.userId, request.body.content)
      if (message === null) return reply.code(403).send({ code: 'NOT_IN_ROOM' })
      const { id, content, sequence, author } = message
      const eventMessageAdded = { cursor: String(sequence), message: { id, content, author: { id: user.userId, name: author } } }
      await new Promise((resolve, reject) => app.graphql.pubsub.publish(
        { topic: topic(request.params.id), payload: { eventMessageAdded } }, error => error ? reject(error) : resolve()))
      reply.code(201)
      return message
    })
}
