/** What a phone does to itself: a clock that is wrong, a disk that is full, a database of another version of the app. */
import { IDBObjectStore } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unsentFile } from '../../src/me/unsent'
import { doorOf, outcomeOf, readyPhone, record, reopen, type Phone } from './phone'
import { Town } from './town'

const DAY = 86_400_000

let town: Town
beforeEach(() => {
  town = new Town()
  town.addArea('1号楼2单元', ['101', '102', '201', '202'])
})
afterEach(() => vi.restoreAllMocks())

/** Nothing more can be written; what is there can be read and taken away. */
function fill(): void {
  for (const doing of ['add', 'put'] as const) {
    vi.spyOn(IDBObjectStore.prototype, doing).mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError')
    })
  }
}

async function databaseOf(phone: Phone): Promise<string> {
  const found = (await indexedDB.databases()).map(({ name }) => name!)
  return found.find((name) => name.startsWith(`${phone.options.databasePrefix}-`) && !name.endsWith('-device'))!
}

describe('a clock that is wrong', () => {
  it.each([-DAY, DAY])('by %d ms is said, and what is recorded from then on has the right time', async (error) => {
    const phone = await readyPhone(town)
    phone.clock.now = town.now + error
    await phone.engine.sync()
    expect(phone.engine.status.clockErrorMs).toBe(error)
    const again = await reopen(town, phone)
    expect(again.engine.status.clockErrorMs).toBe(error)

    await record(again, '101')
    const [item] = await again.engine.listOutbox()
    expect(Date.parse(item!.recordedAt)).toBe(town.now)
    expect(JSON.parse((await unsentFile(again.engine, again.clock.now)).content)).toMatchObject({ commands: [{ clock_error_s: error / 1000 }] })
    await again.engine.sync()
    const push = town.log.findLast((one) => one.path === '/sync/commands')!.body
    expect(push).toMatchObject({ sent_at: new Date(town.now + error).toISOString(), commands: [{ clock_error_s: error / 1000 }] })
    expect(again.engine.status.confirmedToday).toBe(1)
  })

  it('by a few minutes is right, and one set right is right again', async () => {
    const phone = await readyPhone(town)
    phone.clock.now = town.now - DAY
    await phone.engine.sync()
    phone.clock.now = town.now + 600_000
    await phone.engine.sync()
    expect(phone.engine.status.clockErrorMs).toBe(0)
    await record(phone, '101')
    expect((await phone.engine.listOutbox())[0]).not.toHaveProperty('clockErrorMs')
  })
})

describe('a full phone', () => {
  it('sends what it holds all the same, which makes room', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    await record(phone, '102', 'refused')
    fill()
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, storageProblem: 'full' })
    expect(town.home('101').visits).toHaveLength(1)
    expect(await phone.engine.listOutbox()).toEqual([])

    vi.restoreAllMocks()
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, storageProblem: null })
    expect(await outcomeOf(phone, '102')).toBe('refused')
    expect((await doorOf(phone, '101')).pending).toEqual([])
  })

  it('takes nothing back that is on its way', async () => {
    const phone = await readyPhone(town)
    const id = await record(phone, '101')
    fill()
    let undone: boolean | null = null
    const fetch = town.fetchOf()
    const watched = await reopen(town, phone, {
      fetch: async (url, init) => {
        if (String(url).includes('/sync/commands')) undone = await watched.engine.undo([id])
        return fetch(url, init)
      },
    })
    await watched.engine.sync()
    expect(undone).toBe(false)
    expect(town.home('101').visits).toHaveLength(1)
  })

  it('does not ask without end about what was refused and cannot be marked so', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.homes.splice(0, 1)
    fill()
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ storageProblem: 'full', waiting: 1 })
    vi.restoreAllMocks()
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ needsYou: 1, waiting: 0 })
  })
})

describe('a database of another version', () => {
  it('of a newer app is worked with as it is', async () => {
    const phone = await readyPhone(town)
    town.isDown = true
    await record(phone, '101')
    await phone.engine.close()
    const name = await databaseOf(phone)
    await new Promise((resolve) => {
      const newer = indexedDB.open(name, 99)
      newer.onsuccess = () => resolve(newer.result.close())
    })
    const again = await reopen(town, phone)
    expect(again.engine.status).toMatchObject({ waiting: 1, storageProblem: null })
    await record(again, '102')
    town.isDown = false
    await again.engine.sync()
    expect(again.engine.status.waiting).toBe(0)
  })

  it('that an older tab holds fast is said, and opens when the tab has let go', async () => {
    const phone = await readyPhone(town)
    await phone.engine.close()
    const name = await databaseOf(phone)
    await new Promise((resolve) => (indexedDB.deleteDatabase(name).onsuccess = resolve))
    const old = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open(name, 1)
      opening.onupgradeneeded = () => {
        for (const store of ['households', 'receipts', 'drafts', 'areas', 'meta']) opening.result.createObjectStore(store)
        opening.result.createObjectStore('commands', { keyPath: 'seq', autoIncrement: true })
      }
      opening.onsuccess = () => resolve(opening.result)
    })
    const again = (await import('./phone')).makePhone(town, {}, phone)
    const opened = again.engine.open()
    await vi.waitFor(() => expect(again.engine.status.storageProblem).toBe('blocked'))
    old.close()
    await opened
    expect(again.engine.status).toMatchObject({ storageProblem: null, waiting: 0 })
  })
})
