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
 *   {"do": "edit_household", "household_id", "changes"} → {id}   {"do": "edit_resident", "household_id", "resident_id", "changes"} → {id}
 *   {"do": "add_resident", "household_id", "name"} → {id, resident_id}   {"do": "mark_gone", "household_id", "resident_id", "reason"} → {id}
 *   {"do": "add_household", "beside", "name"}      → {id, household_id, resident_id}: behind the door of the household `beside`
 *   {"do": "take_photo", "household_id", "visit_id", "content": base64} → {id}; a photo that waits beside the records
 *   {"do": "export"}                                → {count, photos, left, content, sealed}: the file of unsent records, and
 *                                                     sealed (base64) where the server has been heard
 *   {"do": "sync", "faults"?: []}                   → {killed, status}
 *   {"do": "sync_begin", "faults"?: []}             → {}: sync, and do the next line meanwhile
 *   {"do": "sync_end"}                              → {killed, status}: wait for it
 *   {"do": "deliver"}                               → {delivered}: requests held by `late` arrive now, oldest first
 *   {"do": "restart"}                               → {status}: the app is closed properly and opened again
 *   {"do": "kill"}                                  → {status}: the app dies where it stands and is opened again
 *   {"do": "set", "undo_ms"?, "clock_offset_ms"?, "server"?} → {status}; the window to take records back (0), the clock's
 *                                                     error, another address of the service
 *   {"do": "fill"}                                  → {}: the disk is full, until `{"do": "free"}`
 *   {"do": "age"}                                   → {}: the app is closed and its database as version 1 had it, held open
 *                                                     by a tab of then that does not let go
 *   {"do": "open_begin"} → {}   {"do": "open_end"} → {status}: the app is opened; the old tab is closed, the app is open
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

/** The engine and what sends and exports photos, as modules for Node, built when their sources have changed. */
async function loadEngine() {
  const sources = ['src/api/client.ts', 'src/uploads/store.ts', 'src/uploads/seal.ts', 'src/me/unsent.ts', ...readdirSync(`${root}src/offline`).map((name) => `src/offline/${name}`)]
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
        ssr: true,
        outDir: folder,
        minify: false,
        rolldownOptions: {
          input: { engine: `${root}src/offline/engine.ts`, uploads: `${root}src/uploads/store.ts`, seal: `${root}src/uploads/seal.ts`, unsent: `${root}src/me/unsent.ts` },
          output: { entryFileNames: '[name].mjs' },
        },
      },
    })
  }
  return Object.assign({}, ...(await Promise.all(['engine', 'uploads', 'seal', 'unsent'].map((name) => import(pathToFileURL(`${folder}/${name}.mjs`).href)))))
}

const { Engine, Uploads, seal, unsentFile } = await loadEngine()

/** name → the phone whose databases begin with it */
const fullness = new Map()

/** On a full phone nothing more is written; the transaction that tries fails as a whole, a moment later. */
for (const doing of ['add', 'put']) {
  const write = IDBObjectStore.prototype[doing]
  IDBObjectStore.prototype[doing] = function (...words) {
    const request = write.apply(this, words)
    const { transaction } = this
    if (fullness.get(transaction.db.name.replace(/-\d+-.*$/, ''))?.isFull) queueMicrotask(() => transaction._abort('QuotaExceededError'))
    return request
  }
}

/** An id as phones make them: the time, then chance. */
function madeId() {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`
}

/** What a request of IndexedDB answers. */
function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
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
    this.baseUrl = baseUrl
    this.isFull = false
    this.inFlight = new Set()
    this.running = null
    this.opening = null
    this.oldTab = null
    fullness.set(name, this)
  }

  /** Open the app, for the first time or again; what was open before is as good as dead. */
  async open() {
    const life = ++this.life
    // the connections of a page that dies are closed
    for (const controller of this.inFlight) controller.abort()
    this.inFlight.clear()
    this.died = new Promise((resolve) => (this.die = resolve))
    this.engine = new Engine({
      baseUrl: this.baseUrl,
      fetch: async (url, init) => {
        if (life !== this.life) return never()
        try {
          const answer = await this.fetch(url, init)
          return life === this.life ? answer : never()
        } catch (error) {
          if (life === this.life) throw error
          return never()
        }
      },
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
      openUploads: (engine) => Uploads.open(engine),
      report: (error) => console.error(error),
    })
    await this.engine.open()
  }

  /** A request over the network, as a page makes it. */
  async request(url, init) {
    const controller = new AbortController()
    this.inFlight.add(controller)
    try {
      const answer = await fetch(url, { ...init, signal: controller.signal })
      const body = [204, 205, 304].includes(answer.status) ? null : await answer.arrayBuffer()
      const headers = new Headers(answer.headers)
      headers.delete('content-encoding')
      return new Response(body, { status: answer.status, headers })
    } finally {
      this.inFlight.delete(controller)
    }
  }

  async fetch(url, { signal, ...init }) {
    const fetch = (url, init) => this.request(url, init)
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
    const life = this.life
    const killed = await Promise.race([this.engine.sync().then(() => false), this.died.then(() => true)])
    this.faults = []
    if (killed && life === this.life) await this.open()
    return { killed, status: this.engine.status }
  }

  /** The app dies where it stands and is opened again. */
  async kill() {
    this.die()
    await this.open()
  }

  /** Write the account's database down as version 1 of it was, and hold it open as a tab of then that is asleep. */
  async age() {
    await this.engine.close()
    const prefix = `${this.name}-${this.born}-`
    const found = (await indexedDB.databases()).find(({ name }) => name.startsWith(prefix) && !name.endsWith('-device'))
    const now = await asked(indexedDB.open(found.name))
    const kept = {}
    for (const store of now.objectStoreNames) {
      const rows = now.transaction(store).objectStore(store)
      kept[store] = { values: await asked(rows.getAll()), keys: await asked(rows.getAllKeys()) }
    }
    now.close()
    await asked(indexedDB.deleteDatabase(found.name))
    const opening = indexedDB.open(found.name, 1)
    opening.onupgradeneeded = () => {
      const db = opening.result
      db.createObjectStore('households', { keyPath: 'id' }).createIndex('areaId', 'areaId')
      const commands = db.createObjectStore('commands', { keyPath: 'seq', autoIncrement: true })
      commands.createIndex('id', 'id', { unique: true })
      commands.createIndex('householdId', 'payload.household_id')
      db.createObjectStore('receipts', { keyPath: 'id' }).createIndex('confirmedAt', 'confirmedAt')
      db.createObjectStore('drafts', { keyPath: 'key' })
      db.createObjectStore('areas', { keyPath: 'id' })
      db.createObjectStore('meta')
    }
    this.oldTab = await asked(opening)
    for (const [store, { values, keys }] of Object.entries(kept)) {
      const rows = this.oldTab.transaction(store, 'readwrite').objectStore(store)
      await Promise.all(values.map((value, at) => asked(rows.keyPath === null ? rows.put(value, keys[at]) : rows.put(value))))
    }
  }

  /** The version of the account's database on this phone. */
  async version() {
    const prefix = `${this.name}-${this.born}-`
    const found = (await indexedDB.databases()).find(({ name }) => name.startsWith(prefix) && !name.endsWith('-device'))
    return found?.version ?? null
  }

  /** A correction at the door, made on what was on screen. */
  async edit(name, { household_id, resident_id, changes }) {
    const door = await this.engine.getDoor(household_id)
    const area = (await this.engine.listAreas()).find(({ id }) => id === door?.areaId)
    const payload = { household_id, ...(resident_id && { resident_id }), base_version: Math.max(area?.version ?? 0, 0), changes }
    return { id: await this.engine.perform(name, payload) }
  }

  /** A household that is not listed, with its head, as the page makes it. */
  async addHousehold({ beside, name }) {
    const door = await this.engine.getDoor(beside)
    const [household_id, resident_id] = [madeId(), madeId()]
    const payload = { household_id, responsibility_area_id: door?.areaId, dwelling_id: door?.dwellingId, residents: [{ id: resident_id, name, sex: 0 }] }
    const person = { id: resident_id, name, initials: '', sex: 0, birthYear: null, relation: '', needsIdCheck: false, checks: [] }
    const made = door && { ...door, truth: undefined, id: household_id, isMade: true, head: name, initials: '', kind: 'family', tags: [], phone: '', note: '', states: [], care: null, reports: [], pending: [], residents: [person] }
    return { id: await this.engine.perform('people.add_household', payload, made), household_id, resident_id }
  }

  async addResident({ household_id, name }) {
    const resident_id = madeId()
    return { id: await this.engine.perform('people.add_resident', { household_id, resident_id, name, sex: 0 }), resident_id }
  }

  async recordDoorVisit({ household_id, round_id, outcome, persons, note }) {
    const door = await this.engine.getDoor(household_id)
    const everybody = outcome === 'answered_all' ? (door?.residents ?? []) : []
    const said = persons ?? everybody.map((resident) => ({ resident_id: resident.id, status: 'well' }))
    return this.engine.perform('screening.record_door_visit', { household_id, round_id, outcome, persons: said, note: note ?? null })
  }

  /** A photo as the page keeps one that belongs to a visit. */
  async takePhoto({ household_id, visit_id, content }) {
    const id = visit_id.slice(0, 19) + crypto.randomUUID().slice(19)
    const at = Date.now()
    const uploads = await this.engine.openUploads()
    const query = new URLSearchParams({ household_id, taken_at: new Date(at).toISOString() })
    const body = Uint8Array.from(Buffer.from(content, 'base64')).buffer
    const url = `/api/v1/photos/${id}?${query}`
    await uploads.put({ id, kind: 'photo', householdId: household_id, after: visit_id, isDraft: false, at, method: 'PUT', url, type: 'image/jpeg', body, problem: null })
    await uploads.changed()
    return { id }
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
  take_photo: (phone, line) => phone.takePhoto(line),
  export: async (phone) => {
    const file = await unsentFile(phone.engine, Date.now() + phone.clockOffsetMs)
    const key = await phone.engine.fileKey()
    return { ...file, sealed: file.content && key ? Buffer.from(await seal(file.content, key)).toString('base64') : null }
  },
  undo: async (phone, { ids }) => ({ undone: await phone.engine.undo(ids) }),
  retry: async (phone, { id }) => void (await phone.engine.retry(id)),
  discard: async (phone, { id }) => void (await phone.engine.discard(id)),
  add_resident: (phone, line) => phone.addResident(line),
  add_household: (phone, line) => phone.addHousehold(line),
  mark_gone: async (phone, { household_id, resident_id, reason }) => ({ id: await phone.engine.perform('people.mark_resident_gone', { household_id, resident_id, reason }) }),
  edit_household: (phone, line) => phone.edit('people.update_household', line),
  edit_resident: (phone, line) => phone.edit('people.update_resident', line),
  sync: (phone, { faults }) => phone.sync(faults),
  sync_begin: (phone, { faults }) => {
    phone.running = phone.sync(faults)
  },
  sync_end: async (phone) => phone.running,
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
    await phone.kill()
    return { status: phone.engine.status }
  },
  fill: (phone) => void (phone.isFull = true),
  free: (phone) => void (phone.isFull = false),
  age: (phone) => phone.age(),
  open_begin: (phone) => {
    phone.opening = phone.open()
  },
  open_end: async (phone) => {
    phone.oldTab.close()
    await phone.opening
    return { status: phone.engine.status, version: await phone.version() }
  },
  set: async (phone, { undo_ms, clock_offset_ms, server }) => {
    phone.baseUrl = server ?? phone.baseUrl
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
    phone.isFull = false
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
