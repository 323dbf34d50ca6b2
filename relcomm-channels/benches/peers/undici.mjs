// Posts N signed webhooks through undici's pool: `node undici.mjs N` with RELCOMM_BENCH_{URL,BODY,SECRET,WINDOW}. Prints a line of JSON.

import { createHmac, createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Pool } from 'undici'

const n = Number(process.argv[2])
const window = Number(process.env.RELCOMM_BENCH_WINDOW)
const url = new URL(process.env.RELCOMM_BENCH_URL)
const body = readFileSync(process.env.RELCOMM_BENCH_BODY)
const secret = createSecretKey(Buffer.from(process.env.RELCOMM_BENCH_SECRET.slice('whsec_'.length), 'base64'))
const pool = new Pool(url.origin, { connections: window, pipelining: 1 })

let next = 0
let taken = 0
async function work() {
  while (next < n) {
    const id = String(next++).padStart(26, '0')
    const timestamp = String(Math.floor(Date.now() / 1000))
    const code = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64')
    const response = await pool.request({
      method: 'POST',
      path: url.pathname,
      headers: {
        'content-type': 'application/cloudevents+json',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${code}`,
      },
      body,
    })
    await response.body.dump()
    if (response.statusCode === 204) taken++
  }
}

const begun = performance.now()
const cpu = process.cpuUsage()
await Promise.all(Array.from({ length: window }, work))
const secs = (performance.now() - begun) / 1000
const { user, system } = process.cpuUsage(cpu)
await pool.close()
console.log(JSON.stringify({ taken, secs, cpu_micros: user + system, peak_mb: Math.floor(process.resourceUsage().maxRSS / 1024) }))
