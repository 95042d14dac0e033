/** What comes down: areas gained and lost, what is new at doors, and what waits on top of it. */
import { IDBObjectStore } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { doorOf, makePhone, outcomeOf, readyPhone, record, reopen, visit } from './phone'
import { Town } from './town'

let town: Town
beforeEach(() => {
  town = new Town()
  town.addArea('1号楼2单元', ['101', '102'])
})
afterEach(() => vi.restoreAllMocks())

const rooms = async (phone: Awaited<ReturnType<typeof readyPhone>>): Promise<string[]> =>
  (await phone.engine.listDoors()).map((door) => door.room).sort()

describe('pulling', () => {
  it('brings doors with their people, and the rounds', async () => {
    const phone = await readyPhone(town)
    expect(await rooms(phone)).toEqual(['101', '102'])
    expect(await doorOf(phone, '101')).toMatchObject({
      compound: '文苑', building: '1', stair: '2', floor: 1, vacant: false, head: '张三101',
      residents: [{ name: '张三101', birthYear: 1950, relation: '户主' }, { name: '李四101' }],
    })
    expect(await phone.engine.listAreas()).toMatchObject([{ name: '1号楼2单元', rounds: [{ title: '第一轮' }] }])
  })

  it('asks for what is new only, and for nothing when nothing is', async () => {
    const phone = await readyPhone(town)
    town.log.length = 0
    await phone.engine.sync()
    expect(town.log.map((one) => one.path)).toEqual(['/sync/areas', '/sync/status'])
    town.visitByOther(town.home('102'), 'refused', phone.clock.now)
    await phone.engine.sync()
    expect(await outcomeOf(phone, '102')).toBe('refused')
    expect((await doorOf(phone, '102')).states[0]?.by).toBe('赵六')
  })

  it('takes households away that are gone, and drops nothing else', async () => {
    const phone = await readyPhone(town)
    const home = town.home('101')
    home.isClosed = true
    home.version = ++town.version
    await phone.engine.sync()
    expect(await rooms(phone)).toEqual(['102'])
  })

  it('an area lost leaves the phone, its unsent records do not', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    const draft = { answers: 1 }
    await record(phone, '101')
    await phone.engine.saveDraft('door:x', draft)
    town.areas[0]!.holder = 'li'
    town.areas[0]!.epoch += 1
    await phone.engine.sync()
    expect(await rooms(phone)).toEqual([])
    expect(phone.engine.status.waiting).toBe(1)
    phone.clock.now += 6000
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, needsYou: 0, confirmedToday: 1 })
    expect(await phone.engine.getDraft('door:x')).toEqual(draft)
  })

  it('an area gained is loaded whole, one that came back shows what waits', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    await record(phone, '101')
    town.areas[0]!.holder = null
    town.addArea('2号楼', ['301'])
    await phone.engine.sync()
    expect(await rooms(phone)).toEqual(['301'])
    town.areas[0]!.holder = 'wang'
    town.areas[0]!.epoch += 2
    await phone.engine.sync()
    expect(await rooms(phone)).toEqual(['101', '102', '301'])
    expect(await outcomeOf(phone, '101')).toBe('answered_all')
    expect((await doorOf(phone, '101')).pending).toHaveLength(1)
  })

  it('an area taken away while it is being fetched is dropped without an error', async () => {
    const phone = await readyPhone(town)
    town.visitByOther(town.home('101'), 'refused', phone.clock.now)
    let release = (): void => undefined
    const path = `/api/v1/sync/areas/${town.areas[0]!.id}`
    town.faults = [{ path, kind: new Response(JSON.stringify({ code: 'area_not_held', title: '', status: 404 }), { status: 404 }), until: new Promise((go) => (release = go)) }]
    const running = phone.engine.sync()
    release()
    await running
    expect(await rooms(phone)).toEqual([])
    expect(phone.engine.status.online).toBe(true)
  })

  it('a door that changes over to another of one’s areas stays', async () => {
    const phone = await readyPhone(town)
    const other = town.addArea('2号楼', ['301'])
    const home = town.home('101')
    home.area = other.id
    town.areas[0]!.recut = other.recut = home.version = ++town.version
    await phone.engine.sync()
    expect(await rooms(phone)).toEqual(['101', '102', '301'])
    expect((await doorOf(phone, '101')).areaId).toBe(other.id)
  })

  it('loads a large area page by page, and begins it anew when that broke off half-way', async () => {
    const area = town.addArea('大院', Array.from({ length: 1200 }, (_, n) => `9${n}`))
    const phone = makePhone(town)
    await phone.engine.open()
    await phone.engine.signIn('wang', 'right')
    const put = IDBObjectStore.prototype.put
    let puts = 0
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...args: [unknown]) {
      if (this.name === 'households' && ++puts > 700) throw new DOMException('full', 'QuotaExceededError')
      return put.apply(this, args)
    })
    await phone.engine.sync()
    expect(phone.engine.status.storageProblem).toBe('full')
    expect((await phone.engine.listDoors()).length).toBeLessThan(1202)

    vi.restoreAllMocks()
    await phone.engine.sync()
    expect(phone.engine.status.storageProblem).toBeNull()
    expect(await rooms(phone)).toHaveLength(1202)
    town.log.length = 0
    await phone.engine.sync()
    expect(town.log.some((one) => one.path === `/sync/areas/${area.id}`)).toBe(false)
  })
})

describe('what waits', () => {
  it('stands on top of what is pulled, and the pulled facts remain beneath', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    const id = await record(phone, '101', 'no_answer')
    town.visitByOther(town.home('101'), 'refused', phone.clock.now - 3_600_000)
    await phone.engine.sync()
    expect((await doorOf(phone, '101')).states[0]).toMatchObject({ outcome: 'no_answer', attempts: 1, by: '王芳' })
    await phone.engine.undo([id])
    expect((await doorOf(phone, '101')).states[0]).toMatchObject({ outcome: 'refused', attempts: 0, by: '赵六' })
  })

  it('does not undo what another settled later', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    await record(phone, '101', 'no_answer')
    town.visitByOther(town.home('101'), 'answered_all', phone.clock.now + 60_000)
    await phone.engine.sync()
    expect((await doorOf(phone, '101')).states[0]).toMatchObject({ outcome: 'answered_all', attempts: 1, by: '赵六' })
  })

  it('half a household answered is part, the other half later makes it whole', async () => {
    const phone = await readyPhone(town)
    const door = await doorOf(phone, '101')
    const [first, second] = door.residents.map((resident) => ({ resident_id: resident.id, status: 'well' as const }))
    await phone.engine.perform('screening.record_door_visit', { ...visit(door), outcome: 'answered_all', persons: [first!] })
    expect(await outcomeOf(phone, '101')).toBe('answered_part')
    await phone.engine.sync()
    await phone.engine.perform('screening.record_door_visit', { ...visit(door), outcome: 'answered_part', persons: [second!] })
    expect(await outcomeOf(phone, '101')).toBe('answered_all')
    await phone.engine.sync()
    expect(await outcomeOf(phone, '101')).toBe('answered_all')
  })

  it('a care visit shows its next date at once and after the server’s answer', async () => {
    const phone = await readyPhone(town)
    const door = await doorOf(phone, '101')
    await phone.engine.perform('care.record_visit', { household_id: door.id, condition: 'well', needs: ['food'], next_on: '2026-12-01' })
    expect((await doorOf(phone, '101')).care).toMatchObject({ condition: 'well', nextOn: '2026-12-01' })
    await phone.engine.sync()
    expect((await doorOf(phone, '101')).care).toMatchObject({ condition: 'well', nextOn: '2026-12-01' })
    expect(town.home('101').care?.condition).toBe('well')
  })

  it('goes up before anything comes down', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.log.length = 0
    await phone.engine.sync()
    expect(town.log.map((one) => one.path.split('/').slice(0, 3).join('/'))).toEqual(['/sync/commands', '/sync/areas', '/sync/areas'])
  })
})

describe('tries again', () => {
  it('with growing pauses while out of reach', async () => {
    const phone = await readyPhone(town)
    town.isDown = true
    const pauses: number[] = []
    await phone.engine.sync()
    for (let n = 0; n < 10; n++) {
      const [timer] = phone.timers.splice(0)
      pauses.push(timer!.ms)
      phone.clock.now += timer!.ms
      timer!.work()
      await vi.waitFor(() => expect(phone.timers).toHaveLength(1))
    }
    expect(pauses.slice(0, 3)).toEqual([1500, 3000, 6000])
    expect(pauses.at(-1)).toBe(225_000)
    expect(phone.engine.status.online).toBe(false)
  })

  it('saving without rest does not put sending off for ever', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    await record(phone, '101', 'no_answer')
    for (let n = 0; n < 5; n++) {
      phone.clock.now += 1000
      await record(phone, '102', 'no_answer')
    }
    expect(phone.timers.map((timer) => timer.ms)).toEqual([5020])
  })

  it('two tabs never send at the same time', async () => {
    const held = new Set<string>()
    const locks = {
      request: async (name: string, _: unknown, work: (lock: unknown) => Promise<void>) => {
        if (held.has(name)) return work(null)
        held.add(name)
        await work({}).finally(() => held.delete(name))
      },
    } as unknown as LockManager
    const phone = await readyPhone(town, { locks })
    const tab = await reopen(town, phone, { locks })
    await record(phone, '101')
    let release = (): void => undefined
    town.faults = [{ path: '/api/v1/sync/commands', kind: 'no_answer', until: new Promise((go) => (release = go)) }]
    const first = phone.engine.sync()
    await vi.waitFor(() => expect(phone.engine.status.syncing).toBe(true))
    await tab.engine.sync()
    expect(town.log.filter((one) => one.path === '/sync/commands')).toEqual([])
    release()
    await first
    await tab.engine.sync()
    expect(tab.engine.status.waiting).toBe(0)
    expect(town.home('101').visits).toHaveLength(1)
  })
})
