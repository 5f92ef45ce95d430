// The peer: Fastify + Mercurius with JIT and loaders over `pg`, on the same tables, with the same answers.
//
// It is written as a careful Node.js team would write it for speed: named prepared statements, verified tokens kept,
// serialisers from schemas, one batched statement per relation. It keeps no tenants apart in the database: its role
// sees every row, and each statement names the tenant itself.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import redisEmitter from 'mqemitter-redis'
import { createVerifier } from 'fast-jwt'
import { open } from './database.mjs'
import { addGraphql } from './graphql.mjs'
import { addRest } from './rest.mjs'
import { addRooms } from './rooms.mjs'
import { addSessions } from './sessions.mjs'

const { PORT, PEER_DATABASE, PEER_KEY, PEER_TENANT, PEER_POOL, PEER_REDIS, PEER_SECRET } = process.env

const database = open(PEER_DATABASE, Number(PEER_POOL), PEER_TENANT)
const verify = createVerifier({ key: PEER_KEY, algorithms: ['EdDSA'], cache: 10000 })
const app = Fastify({ logger: false })

class Unauthenticated extends Error {
  statusCode = 401
}

// Who calls: a good token, and a session that lives. One statement, as ours asks it.
async function caller (request) {
  const header = request.headers.authorization
  if (header === undefined) return null
  let claims
  try {
    claims = verify(header.slice('Bearer '.length))
  } catch {
    throw new Unauthenticated('The access token is not valid.')
  }
  const found = await database.caller(claims.sub, claims.sid)
  if (!found?.session) throw new Unauthenticated('Your session has ended.')
  return { userId: claims.sub, role: found.role }
}

const emitter = PEER_REDIS === undefined ? undefined : redisEmitter({ connectionString: PEER_REDIS })
addGraphql(app, mercurius, database, caller, emitter)
addRest(app, database, caller)
if (emitter !== undefined) addRooms(app, database, caller)
if (PEER_SECRET !== undefined) addSessions(app, database, PEER_SECRET)
app.get('/health/ready', async () => ({ status: 'ok' }))

process.on('SIGTERM', async () => {
  await app.close()
  await database.close()
})
await app.listen({ port: Number(PORT), host: '127.0.0.1' })
