// BullMQ as its users run it: one queue, one worker, jobs that do nothing.
//
// node jobs.mjs fill URL COUNT           puts jobs into the queue
// node jobs.mjs work URL COUNT AT_ONCE   does so many, then says how fast
// node jobs.mjs ask URL COUNT            puts in one at a time, each when the last one is done
import { Queue, QueueEvents, Worker } from 'bullmq'

const [mode, url, count, atOnce] = process.argv.slice(2)
const total = Number(count)
const { hostname: host, port } = new URL(url)
const connection = { host, port: Number(port), maxRetriesPerRequest: null }
const KEPT = { removeOnComplete: { count: 100 } }
const BATCH = 1000
const now = () => performance.timeOrigin + performance.now()

async function fill () {
  const queue = new Queue('bench', { connection })
  for (let done = 0; done < total; done += BATCH) {
    await queue.addBulk(Array.from({ length: Math.min(BATCH, total - done) }, () =>
      ({ name: 'nothing', data: { at: now() }, opts: KEPT })))
  }
  await queue.close()
}

async function work () {
  const waits = []
  let began
  const worker = new Worker('bench', async job => {
    began ??= now()
    waits.push(now() - job.data.at)
  }, { connection, concurrency: Number(atOnce) })
  await new Promise(resolve => {
    let done = 0
    worker.on('completed', () => { if (++done === total) resolve() })
  })
  const seconds = (now() - began) / 1000
  const { user, system } = process.cpuUsage()
  const told = JSON.stringify({ seconds, waits, cpu: (user + system) / 1e6 })
  // All of it has to be out before the process ends.
  await new Promise(resolve => process.stdout.write(told, resolve))
  await worker.close()
}

async function ask () {
  const queue = new Queue('bench', { connection })
  const events = new QueueEvents('bench', { connection })
  await events.waitUntilReady()
  for (let done = 0; done < total; done++) {
    const job = await queue.add('nothing', { at: now() }, KEPT)
    await job.waitUntilFinished(events)
  }
  await events.close()
  await queue.close()
}

await { fill, work, ask }[mode]()
process.exit(0)
