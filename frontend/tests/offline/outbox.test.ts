/** Records made at doors: kept with the change, taken back, sent once, answered for one by one. */
import { IDBObjectStore } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unsentFile } from '../../src/me/unsent'
import { DoorGoneError, StorageError } from '../../src/offline/types'
import { doorOf, outcomeOf, readyPhone, record, reopen, visit } from './phone'
import { problem, Town } from './town'

let town: Town
beforeEach(() => {
  town = new Town()
  town.addArea('1号楼2单元', ['101', '102', '201', '202'])
})
afterEach(() => vi.restoreAllMocks())

const pushes = (): { commands: { id: string }[] }[] =>
  town.log.filter((one) => one.path === '/sync/commands').map((one) => one.body as { commands: { id: string }[] })

describe('recording a visit', () => {
  it('shows at the door at once, waits, and survives closing the app', async () => {
    const phone = await readyPhone(town)
    town.isDown = true
    await record(phone, '101')
    expect(await outcomeOf(phone, '101')).toBe('answered_all')
    expect((await doorOf(phone, '101')).pending).toHaveLength(1)

    const again = await reopen(town, phone)
    expect(again.engine.session?.name).toBe('王芳')
    expect(again.engine.status).toMatchObject({ waiting: 1, needsYou: 0 })
    expect(await outcomeOf(again, '101')).toBe('answered_all')
  })

  it('turns confirmed on the server’s answer and counts as the server counts', async () => {
    const phone = await readyPhone(town)
    const id = await record(phone, '101')
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, confirmedToday: 1, online: true })
    expect((await doorOf(phone, '101')).pending).toEqual([])
    expect(await phone.engine.listReceipts()).toMatchObject([{ id, status: 'accepted', label: expect.stringContaining('101') as string }])
    expect(town.home('101').visits).toHaveLength(1)
  })

  it('tells which doors have changed, as they are kept, and of none where none has', async () => {
    const phone = await readyPhone(town)
    const told: (string[] | null)[] = []
    phone.engine.watch((doors) => told.push(doors && doors.map((door) => `${door.room} ${door.states[0]?.outcome} ${door.pending.length}`)))
    await record(phone, '101')
    expect(told.splice(0)).toEqual([['101 answered_all 1']])
    town.isDown = true
    await phone.engine.sync()
    expect(told.splice(0)).toEqual([[]])
    town.isDown = false
    await phone.engine.sync()
    expect(told.splice(0)[0]).toEqual(['101 answered_all 0'])
    await phone.engine.sync()
    expect(told).toEqual([])
  })

  it('takes what a screen holds while its framework watches it', async () => {
    const phone = await readyPhone(town)
    const watched = <T extends object>(value: T): T => new Proxy(value, {})
    const said = visit(await doorOf(phone, '101'))
    const ill = { ...said.persons[0]!, status: 'symptoms' as const, symptoms: watched(['fever' as const, 'cough' as const]) }
    await phone.engine.perform('screening.record_door_visit', watched({ ...said, persons: [ill] }))
    expect(await phone.engine.listOutbox()).toMatchObject([{ payload: { persons: [{ symptoms: ['fever', 'cough'] }] } }])
    await phone.engine.saveDraft('posts', watched([watched({ title: '值守' })]))
    expect(await phone.engine.getDraft('posts')).toEqual([{ title: '值守' }])
  })

  it('keeps several as one: when one door is gone none is recorded', async () => {
    const phone = await readyPhone(town)
    const good = visit(await doorOf(phone, '101'), 'no_answer')
    const gone = { ...good, household_id: '01900000-0000-7000-8000-0000000000ff' }
    const name = 'screening.record_door_visit' as const
    await expect(phone.engine.performAll([{ name, payload: good }, { name, payload: gone }])).rejects.toThrow(DoorGoneError)
    expect(await phone.engine.listOutbox()).toEqual([])
    expect(await outcomeOf(phone, '101')).toBe('todo')
  })

  it('says when the phone is full, and half-writes nothing', async () => {
    const phone = await readyPhone(town)
    const put = IDBObjectStore.prototype.put
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...args: [unknown]) {
      if (this.name === 'households') throw new DOMException('full', 'QuotaExceededError')
      return put.apply(this, args)
    })
    await expect(record(phone, '101')).rejects.toThrow(StorageError)
    expect(phone.engine.status.storageProblem).toBe('full')
    expect(await phone.engine.listOutbox()).toEqual([])
    vi.restoreAllMocks()
    await record(phone, '101')
    expect(phone.engine.status).toMatchObject({ storageProblem: null, waiting: 1 })
  })

  it('reopens a database connection that the system has dropped', async () => {
    const phone = await readyPhone(town)
    const lost = vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementationOnce(() => {
      throw new DOMException('connection is closing', 'InvalidStateError')
    })
    await record(phone, '101')
    expect(lost.mock.calls.length).toBeGreaterThan(1)
    expect(phone.engine.status.waiting).toBe(1)
  })
})

describe('taking back', () => {
  it('within the window removes the record and restores the door, a stair at a time', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    const doors = [await doorOf(phone, '101'), await doorOf(phone, '102')]
    const name = 'screening.record_door_visit' as const
    const ids = await phone.engine.performAll(doors.map((door) => ({ name, payload: visit(door, 'no_answer') })))
    await phone.engine.sync()
    expect(pushes()).toEqual([])
    expect(await phone.engine.undo(ids)).toBe(true)
    expect(await outcomeOf(phone, '101')).toBe('todo')
    expect(await phone.engine.listOutbox()).toEqual([])
  })

  it('keeps an earlier record of the same door', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    await record(phone, '101', 'no_answer')
    const second = await record(phone, '101', 'no_answer')
    expect((await doorOf(phone, '101')).states[0]?.attempts).toBe(2)
    await phone.engine.undo([second])
    expect((await doorOf(phone, '101')).states[0]).toMatchObject({ outcome: 'no_answer', attempts: 1 })
  })

  it('is too late once sending has begun, even if the answer was lost', async () => {
    const phone = await readyPhone(town)
    const id = await record(phone, '101')
    town.faults = [{ path: '/api/v1/sync/commands', kind: 'no_answer' }]
    await phone.engine.sync()
    expect(await phone.engine.undo([id])).toBe(false)
    expect(phone.engine.status.waiting).toBe(1)
  })

  it('holds a record for its window only, also when the clock is set back', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    await record(phone, '101')
    phone.clock.now -= 86_400_000
    await phone.engine.sync()
    expect(phone.engine.status.waiting).toBe(0)
  })
})

describe('sending', () => {
  it('a lost answer and a second send make no second row', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.faults = [{ path: '/api/v1/sync/commands', kind: 'no_answer' }]
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 1, online: false })
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, confirmedToday: 1, online: true })
    expect(town.home('101').visits).toHaveLength(1)
    expect((await phone.engine.listReceipts())[0]?.status).toBe('accepted')
  })

  it('what was being sent when the app was killed is sent again', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.faults = [{ path: '/api/v1/sync/commands', kind: 'no_answer', until: new Promise(() => undefined) }]
    void phone.engine.sync()
    await vi.waitFor(async () => expect((await phone.engine.listOutbox())[0]?.state).toBe('sending'))

    const again = await reopen(town, phone)
    expect(again.engine.status.waiting).toBe(1)
    await again.engine.sync()
    expect(again.engine.status.waiting).toBe(0)
    expect(town.home('101').visits).toHaveLength(1)
  })

  it('goes in the order of recording, at most fifty at a time', async () => {
    const phone = await readyPhone(town)
    const ids: string[] = []
    for (let n = 0; n < 60; n++) ids.push(await record(phone, '101', 'no_answer'))
    await phone.engine.sync()
    expect(pushes().map((push) => push.commands.length)).toEqual([50, 10])
    expect(pushes().flatMap((push) => push.commands.map((command) => command.id))).toEqual(ids)
    expect(town.home('101').visits).toHaveLength(60)
  })

  it('cuts batches by weight too', async () => {
    const phone = await readyPhone(town)
    const door = await doorOf(phone, '101')
    const note = '很长的备注'.repeat(4000)
    for (let n = 0; n < 6; n++) await phone.engine.perform('screening.record_door_visit', { ...visit(door, 'no_answer'), note })
    await phone.engine.sync()
    expect(pushes().map((push) => push.commands.length)).toEqual([4, 2])
  })

  it('one record that spoils the whole request does not block the others', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    const bad = await record(phone, '102')
    await record(phone, '201')
    town.poison.add(bad)
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, needsYou: 1 })
    expect(await phone.engine.listOutbox()).toMatchObject([{ id: bad, state: 'rejected', lastProblem: { code: 'shape_invalid' } }])
    expect([await outcomeOf(phone, '101'), await outcomeOf(phone, '102'), await outcomeOf(phone, '201')]).toEqual(['answered_all', 'todo', 'answered_all'])
  })

  it('a record the server cannot take stays with its reason until a person decides', async () => {
    const phone = await readyPhone(town)
    const home = town.homes.splice(town.homes.indexOf(town.home('101')), 1)[0]!
    await record(phone, '101')
    await record(phone, '102')
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, needsYou: 1, confirmedToday: 1 })
    const [item] = await phone.engine.listOutbox()
    expect(item).toMatchObject({ state: 'rejected', lastProblem: { code: 'household_not_found' } })
    await phone.engine.sync()
    expect(pushes()).toHaveLength(1)

    town.homes.push(home)
    await phone.engine.retry(item!.id)
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, needsYou: 0, confirmedToday: 2 })
  })

  it('a rejected record leaves only by the person’s hand', async () => {
    const phone = await readyPhone(town)
    town.homes.splice(0, 1)
    const id = await record(phone, '101')
    await phone.engine.discard(id)
    expect(phone.engine.status.waiting).toBe(1)
    await phone.engine.sync()
    await phone.engine.discard(id)
    expect(phone.engine.status).toMatchObject({ waiting: 0, needsYou: 0 })
  })

  it('an id missing from the answer keeps its record waiting', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    const empty = new Response(JSON.stringify({ results: [], server_time: '', confirmed_today: 0 }), { headers: { 'Content-Type': 'application/json' } })
    town.faults = [{ path: '/api/v1/sync/commands', kind: empty }]
    await phone.engine.sync()
    expect(phone.engine.status.waiting).toBe(1)
    await phone.engine.sync()
    expect(phone.engine.status.waiting).toBe(0)
  })

  it('flagged is kept, credited and told', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.areas[0]!.holder = 'li'
    town.faults = [{ path: '/api/v1/sync/commands', kind: 'no_answer' }]
    await phone.engine.sync()
    await phone.engine.sync()
    expect(await phone.engine.listReceipts()).toMatchObject([{ status: 'flagged', code: 'epoch_old' }])
    expect(phone.engine.status).toMatchObject({ waiting: 0, confirmedToday: 1 })
  })

  it('a server in trouble loses nothing, and is left alone as long as it asks', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.faults = [{ path: '/api/v1/sync/commands', kind: problem(503, 'busy', { 'Retry-After': '60' }) }]
    phone.timers.length = 0
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 1, needsYou: 0 })
    await record(phone, '102')
    expect(Math.min(...phone.timers.map((timer) => timer.ms))).toBeGreaterThanOrEqual(60_000)
    phone.clock.now += 61_000
    await phone.engine.sync()
    expect(phone.engine.status.waiting).toBe(0)
  })

  it('an account the server refuses as a whole keeps all of its records waiting and says why', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    await record(phone, '102')
    town.faults = [{ path: '/api/v1/sync/commands', kind: problem(403, 'forbidden') }]
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 2, needsYou: 0, refusal: 'forbidden' })
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, refusal: null })
  })

  it('a hotspot’s sign-in page is no answer', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    for (const status of [200, 404]) {
      town.faults = [{ path: '/api/v1/sync/commands', kind: new Response('<html>', { status, headers: { 'Content-Type': 'text/html' } }) }]
      await phone.engine.sync()
      expect(phone.engine.status).toMatchObject({ waiting: 1, needsYou: 0, online: false, syncing: false })
    }
    expect(phone.reports).toEqual([])
  })

  it('what nobody foresaw is reported and loses nothing', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.faults = [{ path: '/api/v1/sync/commands', kind: new Response('null', { headers: { 'Content-Type': 'application/json' } }) }]
    await phone.engine.sync()
    expect(phone.reports).toHaveLength(1)
    expect(phone.engine.status).toMatchObject({ waiting: 1, syncing: false })
  })

  it('an answer is kept even when there is no room for its receipt', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    const put = IDBObjectStore.prototype.put
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...args: [unknown]) {
      if (this.name === 'receipts') throw new DOMException('full', 'QuotaExceededError')
      return put.apply(this, args)
    })
    await phone.engine.sync()
    expect(phone.engine.status.waiting).toBe(0)
    expect(await outcomeOf(phone, '101')).toBe('answered_all')
  })
})

describe('the way out', () => {
  it('unsent records can be carried away as a file the server could read', async () => {
    const phone = await readyPhone(town)
    const id = await record(phone, '101')
    const file = JSON.parse((await unsentFile(phone.engine, phone.clock.now)).content) as { commands: { id: string; payload: unknown }[] }
    expect(file.commands).toMatchObject([{ id, name: 'screening.record_door_visit', payload: { outcome: 'answered_all' } }])
  })
})
