// Sessions renewed: a refresh token names its session and its number, and is good once.
import { SignJWT, jwtVerify } from 'jose'

export function addSessions (app, database, secret) {
  const key = new TextEncoder().encode(secret)
  const sign = (claims, lifetime) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setIssuedAt().setExpirationTime(lifetime).sign(key)
  const body = { type: 'object', required: ['refreshToken'], properties: { refreshToken: { type: 'string', maxLength: 400 } } }
  const text = { type: 'string' }
  const answer = { type: 'object', properties: { accessToken: text, refreshToken: text } }

  app.post('/api/v1/auth/refresh', { schema: { body, response: { 200: answer } } }, async (request, reply) => {
    let claims
    try {
      claims = (await jwtVerify(request.body.refreshToken, key)).payload
    } catch {
      return reply.code(401).send({ code: 'REFRESH_TOKEN_INVALID' })
    }
    const renewed = await database.renew(claims.sid, claims.generation)
    if (renewed === null) {
      await database.revoke(claims.sid, claims.generation)
      return reply.code(401).send({ code: 'REFRESH_TOKEN_REUSED' })
    }
    const [accessToken, refreshToken] = await Promise.all([
      sign({ sub: renewed.userId, sid: claims.sid }, '15m'),
      sign({ sid: claims.sid, generation: claims.generation + 1 }, '7d')
    ])
    return { accessToken, refreshToken }
  })
}
