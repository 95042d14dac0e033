/**
 * Phones without a screen: the real engine of `src/offline` on databases in memory, driven line by line, for
 * tests that let several phones work against a real service over a bad network.
 *
 *   node scripts/phone.mjs http://127.0.0.1:8000
 *
 * One JSON object a line on stdin, one a line on stdout for each, with the same `n` if one was given:
 * `{"ok": true, "n": 1, …}` or `{"ok": false, "n": 1, "error": {"name", "code", "message", "status"}}`.
 * `phone` (default "phone") names the phone meant; a phone exists once it is named. Lines for one phone are
 * done in order, those for different phones side by side. Nothing is sent but by `sync`.
 *
 *   {"do": "sign_in", "username", "password"}       → {session}
 *   {"do": "sign_out", "force"?: true}              → {}
 *   {"do": "record_door_visit", "household_id", "round_id", "outcome", "persons"?, "note"?}
 *                                                   → {id}; without `persons`, answered_all says all well
 *   {"do": "record_care_visit", "household_id", "condition", "needs"?, "resident_id"?, "note"?, "next_on"?} → {id}
 *   {"do": "record_no_answer", "household_ids": [], "round_id"} → {ids}; all in one transaction
 *   {"do": "undo", "ids": []} → {undone}   {"do": "retry", "id"} → {}   {"do": "discard", "id"} → {}
 *   {"do": "sync", "faults"?: []}                   → {killed, status}
 *   {"do": "deliver"}                               → {delivered}: requests held by `late` arrive now, oldest first
 *   {"do": "restart"}                               → {status}: the app is closed properly and opened again
 *   {"do": "kill"}                                  → {status}: the app dies where it stands and is opened again
 *   {"do": "set", "undo_ms"?, "clock_offset_ms"?}   → {status}; the window to take records back (0), the clock's error
 *   {"do": "status"}                                → {status}
 *   {"do": "dump"}                                  → {status, session, areas, doors, outbox, receipts}
 *   {"do": "forget"}                                → {}: a new phone, as from the shop
 *
 * A fault befalls one request of that sync: the first, in order, whose path contains `path` ("" is any; e.g.
 * "sync/commands", "sync/areas", "auth/token"); `skip` lets so many go by before.
 *   drop_request   it never arrives              drop_answer   it arrives, the answer is lost
 *   duplicate      it arrives twice, both answered; the phone hears the second
 *   delay          `ms` later
 *   late           the phone hears nothing; it arrives only at `deliver`, behind everything sent meanwhile
 *   status         the server's answer is replaced by a problem with `status` (503), before the server sees it
 *   kill_before    the app dies before the request leaves     kill_after   it arrives, then the app dies
 * After a kill the app has been opened again; `killed` is true.
 */
import 'fake-indexeddb/auto'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
const baseUrl = (process.argv[2] ?? 'http://127.0.0.1:8000').replace(/\/$/, '')

/** The engine as one module for Node, built when its sources have changed. */
async function loadEngine() {
  const sources = ['src/api/client.ts', ...readdirSync(`${root}src/offline`).map((name) => `src/offline/${name}`)]
  const digest = createHash('sha256')
  for (const source of sources) digest.update(readFileSync(root + source))
  const folder = `${root}node_modules/.cache/phone/${digest.digest('hex').slice(0, 16)}`
  if (!existsSync(`${folder}/engine.mjs`)) {
    await build({
      root,
      configFile: false,
      logLevel: 'error',
      publicDir: false,
      // what the app's own build fills in
      define: { __APP_VERSION__: JSON.stringify('test') },
      build: {
        ssr: 'src/offline/engine.ts',
        outDir: folder,
        minify: false,
        rolldownOptions: { output: { entryFileNames: 'engine.mjs' } },
      },
    })
  }
  return import(pathToFileURL(`${folder}/engine.mjs`).href)
}

const { Engine } = await loadEngine()
const never = () => new Promise(() => undefined)

class Phone {
  constructor(name) {
    this.name = name
    this.life = 0
    this.undoMs = 0
    this.clockOffsetMs = 0
    this.faults = []
    this.held = []
    this.born = 0
  }

  /** Open the app, for the first time or again; what was open before is as good as dead. */
  async open() {
    const life = ++this.life
    this.died = new Promise((resolve) => (this.die = resolve))
    this.engine = new Engine({
      baseUrl,
      fetch: (url, init) => (life === this.life ? this.fetch(url, init) : never()),
      locks: null,
      now: () => Date.now() + this.clockOffsetMs,
      random: Math.random,
      later: () => () => undefined,
      databasePrefix: `${this.name}-${this.born}`,
      deviceName: `phone ${this.name}`,
      language: () => 'en',
      timeoutMs: 30_000,
      undoMs: this.undoMs,
      channel: null,
      report: (error) => console.error(error),
    })
    await this.engine.open()
  }

  async fetch(url, { signal, ...init }) {
    const at = this.faults.findIndex((fault) => url.includes(fault.path ?? ''))
    if (at < 0) return fetch(url, init)
    if (this.faults[at].skip > 0) {
      this.faults[at].skip -= 1
      return fetch(url, init)
    }
    const [fault] = this.faults.splice(at, 1)
    const lost = () => Promise.reject(new TypeError('lost'))
    switch (fault.kind) {
      case 'drop_request':
        return lost()
      case 'drop_answer':
        await (await fetch(url, init)).arrayBuffer()
        return lost()
      case 'duplicate':
        await (await fetch(url, init)).arrayBuffer()
        return fetch(url, init)
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, fault.ms ?? 50))
        return fetch(url, init)
      case 'late':
        this.held.push(async () => (await fetch(url, init)).arrayBuffer())
        return lost()
      case 'status':
        return new Response(JSON.stringify({ code: 'unavailable', title: 'unavailable', status: fault.status ?? 503 }), {
          status: fault.status ?? 503,
          headers: { 'Content-Type': 'application/problem+json' },
        })
      case 'kill_before':
        this.die()
        return never()
      case 'kill_after':
        await (await fetch(url, init)).arrayBuffer()
        this.die()
        return never()
      default:
        throw new Error(`no such fault: ${fault.kind}`)
    }
  }

  async sync(faults = []) {
    this.faults = structuredClone(faults)
    const killed = await Promise.race([this.engine.sync().then(() => false), this.died.then(() => true)])
    this.faults = []
    if (killed) await this.open()
    return { killed, status: this.engine.status }
  }

  async recordDoorVisit({ household_id, round_id, outcome, persons, note }) {
    const door = await this.engine.getDoor(household_id)
    const everybody = outcome === 'answered_all' ? (door?.residents ?? []) : []
    const said = persons ?? everybody.map((resident) => ({ resident_id: resident.id, status: 'well' }))
    return this.engine.perform('screening.record_door_visit', { household_id, round_id, outcome, persons: said, note: note ?? null })
  }

  async dump() {
    const { engine } = this
    const [areas, doors, outbox, receipts] = await Promise.all([engine.listAreas(), engine.listDoors(), engine.listOutbox(), engine.listReceipts()])
    return { status: engine.status, session: engine.session, areas, doors, outbox, receipts }
  }
}

const doings = {
  sign_in: async (phone, { username, password }) => ({ session: await phone.engine.signIn(username, password) }),
  sign_out: async (phone, { force }) => void (await phone.engine.signOut({ force })),
  record_door_visit: async (phone, line) => ({ id: await phone.recordDoorVisit(line) }),
  record_care_visit: async (phone, { household_id, condition, needs = [], resident_id = null, note = null, next_on = null }) => ({
    id: await phone.engine.perform('care.record_visit', { household_id, resident_id, condition, needs, note, next_on }),
  }),
  record_no_answer: async (phone, { household_ids, round_id }) => ({
    ids: await phone.engine.performAll(
      household_ids.map((household_id) => ({
        name: 'screening.record_door_visit',
        payload: { household_id, round_id, outcome: 'no_answer', persons: [] },
      })),
    ),
  }),
  undo: async (phone, { ids }) => ({ undone: await phone.engine.undo(ids) }),
  retry: async (phone, { id }) => void (await phone.engine.retry(id)),
  discard: async (phone, { id }) => void (await phone.engine.discard(id)),
  sync: (phone, { faults }) => phone.sync(faults),
  deliver: async (phone) => {
    const held = phone.held.splice(0)
    for (const send of held) await send()
    return { delivered: held.length }
  },
  restart: async (phone) => {
    await phone.engine.close()
    await phone.open()
    return { status: phone.engine.status }
  },
  kill: async (phone) => {
    await phone.open()
    return { status: phone.engine.status }
  },
  set: async (phone, { undo_ms, clock_offset_ms }) => {
    phone.clockOffsetMs = clock_offset_ms ?? phone.clockOffsetMs
    phone.undoMs = undo_ms ?? phone.undoMs
    await phone.engine.close()
    await phone.open()
    return { status: phone.engine.status }
  },
  status: (phone) => ({ status: phone.engine.status }),
  dump: (phone) => phone.dump(),
  forget: async (phone) => {
    await phone.engine.close()
    for (const { name } of await indexedDB.databases()) {
      if (name.startsWith(`${phone.name}-${phone.born}-`)) indexedDB.deleteDatabase(name)
    }
    phone.born += 1
    phone.held = []
    phone.undoMs = phone.clockOffsetMs = 0
    await phone.open()
  },
}

/** name → the phone, opened, and the end of its queue */
const phones = new Map()

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

async function perform(name, line) {
  try {
    let held = phones.get(name)
    if (!held.phone) {
      held.phone = new Phone(name)
      await held.phone.open()
    }
    const doing = doings[line.do]
    if (!doing) throw new Error(`no such doing: ${line.do}`)
    say({ ok: true, n: line.n, ...(await doing(held.phone, line)) })
  } catch (error) {
    const { name: kind, message, code, status } = error
    say({ ok: false, n: line.n, error: { name: kind, message, code, status } })
  }
}

const lines = createInterface({ input: process.stdin })
lines.on('line', (text) => {
  let line
  try {
    line = JSON.parse(text)
  } catch {
    return say({ ok: false, error: { name: 'SyntaxError', message: 'one JSON object a line' } })
  }
  const name = line.phone ?? 'phone'
  if (!phones.has(name)) phones.set(name, { phone: null, queue: Promise.resolve() })
  const held = phones.get(name)
  held.queue = held.queue.then(() => perform(name, line))
})
lines.on('close', async () => {
  await Promise.all([...phones.values()].map((held) => held.queue))
  process.exit(0)
})
