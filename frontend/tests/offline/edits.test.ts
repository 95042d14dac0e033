/** Corrections at the door: seen at once, undone when refused, merged with what others changed, replaced by the pull. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { AddHouseholdPayload, DoorRecord } from '../../src/offline/types'
import { doorOf, outcomeOf, readyPhone, record, reopen, visit, type Phone } from './phone'
import { problem, ROUND, Town } from './town'

let town: Town
beforeEach(() => {
  town = new Town()
  town.addArea('1号楼2单元', ['101', '102'])
})

const base = async (phone: Phone): Promise<number> => (await phone.engine.listAreas())[0]!.version

async function correct(phone: Phone, room: string, changes: { phone?: string; note?: string }, from?: number): Promise<string> {
  const door = await doorOf(phone, room)
  return phone.engine.perform('people.update_household', { household_id: door.id, base_version: from ?? (await base(phone)), changes })
}

describe('a correction', () => {
  it('shows at once, waits, survives closing the app, and is confirmed', async () => {
    const phone = await readyPhone(town)
    town.isDown = true
    await correct(phone, '101', { phone: '15411112222' })
    expect(await doorOf(phone, '101')).toMatchObject({ phone: '15411112222', pending: [expect.any(String)] })
    const again = await reopen(town, phone)
    expect((await doorOf(again, '101')).phone).toBe('15411112222')
    town.isDown = false
    await again.engine.sync()
    expect(again.engine.status).toMatchObject({ waiting: 0, needsYou: 0 })
    expect(town.home('101').phone).toBe('15411112222')
    expect(await doorOf(again, '101')).toMatchObject({ phone: '15411112222', pending: [] })
  })

  it('of the head’s name changes how the door is called', async () => {
    const phone = await readyPhone(town)
    const door = await doorOf(phone, '101')
    const changes = { name: '张新', relation: '本人', birth_on: '1960-02-03' }
    const payload = { household_id: door.id, resident_id: door.residents[0]!.id, base_version: await base(phone), changes }
    await phone.engine.perform('people.update_resident', payload)
    const after = await doorOf(phone, '101')
    expect(after.head).toBe('张新')
    expect(after.residents[0]).toMatchObject({ name: '张新', relation: '本人', birthYear: 1960 })
    expect(after.residents[1]).toEqual(door.residents[1])
  })

  it('taken back or refused leaves the door as it was', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    town.home('101').phone = '13800000000'
    town.home('101').version = ++town.version
    await phone.engine.sync()
    const id = await correct(phone, '101', { phone: '15411112222' })
    expect(await phone.engine.undo([id])).toBe(true)
    expect((await doorOf(phone, '101')).phone).toBe('13800000000')

    await correct(phone, '101', { phone: '15411112222' })
    town.homes.splice(town.homes.indexOf(town.home('101')), 1)
    phone.clock.now += 6000
    await phone.engine.sync()
    expect(phone.engine.status.needsYou).toBe(1)
    expect((await doorOf(phone, '101')).phone).toBe('13800000000')
  })

  it('merges with another fact that somebody else changed', async () => {
    const phone = await readyPhone(town)
    await correct(phone, '101', { phone: '15411112222' })
    town.changeByOther(town.home('101'), 'note', '晚上在家')
    await phone.engine.sync()
    expect(await doorOf(phone, '101')).toMatchObject({ phone: '15411112222', note: '晚上在家' })
    expect(await phone.engine.listReceipts()).toMatchObject([{ status: 'accepted' }])
  })

  it('of a fact that somebody else changed gives way to theirs and says so', async () => {
    const phone = await readyPhone(town)
    const from = await base(phone)
    town.changeByOther(town.home('101'), 'phone', '15433334444')
    // the other’s number is here already when ours, made before, goes up
    await phone.engine.sync()
    await correct(phone, '101', { phone: '15411112222', note: '敲两下' }, from)
    expect((await doorOf(phone, '101')).phone).toBe('15411112222')
    await phone.engine.sync()
    expect(await doorOf(phone, '101')).toMatchObject({ phone: '15433334444', note: '敲两下', pending: [] })
    expect(await phone.engine.listReceipts()).toMatchObject([{ status: 'flagged', code: 'edit_conflict' }])
  })

  it('stays on top of a door kept by an app that knew fewer facts', async () => {
    const phone = await readyPhone(town)
    town.isDown = true
    await record(phone, '101', 'no_answer')
    const { states, residents, care } = (await doorOf(phone, '101')).truth!
    const database = indexedDB.open(`${phone.options.databasePrefix}-${phone.engine.session!.accountId}`)
    await new Promise((resolve) => (database.onsuccess = resolve))
    const old = { ...(await doorOf(phone, '101')), phone: '13800000000', truth: { states, residents, care } }
    await new Promise((resolve) => (database.result.transaction('households', 'readwrite').objectStore('households').put(old).onsuccess = resolve))
    database.result.close()
    await correct(phone, '101', { note: '敲两下' })
    expect(await doorOf(phone, '101')).toMatchObject({ phone: '13800000000', note: '敲两下', head: '张三101' })
    expect(await outcomeOf(phone, '101')).toBe('no_answer')
  })
})

describe('a person found at the door', () => {
  const add = async (phone: Phone): Promise<string> =>
    phone.engine.perform('people.add_resident', { household_id: (await doorOf(phone, '101')).id, name: '小新', sex: 1, birth_on: '2020-05-06', relation: '孙子' })

  it('is there at once under an id that stays, and the household is no longer whole', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    const id = await add(phone)
    const door = await doorOf(phone, '101')
    expect(door.residents[2]).toMatchObject({ id, name: '小新', birthYear: 2020, relation: '孙子', checks: [] })
    expect(await outcomeOf(phone, '101')).toBe('answered_part')
    await phone.engine.sync()
    expect((await doorOf(phone, '101')).residents.map((one) => one.id)).toEqual([...town.home('101').residents.map((one) => one.id)])
    expect(town.home('101').residents.map((one) => one.name)).toEqual(['张三101', '李四101', '小新'])
    expect(await outcomeOf(phone, '101')).toBe('answered_part')
    await record(phone, '101')
    await phone.engine.sync()
    expect(await outcomeOf(phone, '101')).toBe('answered_all')
  })

  it('is not there twice when the answer was lost and the pull came first', async () => {
    const phone = await readyPhone(town)
    await add(phone)
    town.faults = [{ path: '/api/v1/sync/commands', kind: 'no_answer' }]
    await phone.engine.sync()
    town.faults = [{ path: '/api/v1/sync/commands', kind: 'no_way' }]
    await phone.engine.sync()
    await phone.engine.sync()
    expect((await doorOf(phone, '101')).residents.map((one) => one.name)).toEqual(['张三101', '李四101', '小新'])
  })
})

describe('somebody gone', () => {
  const gone = async (phone: Phone, at: number): Promise<string> => {
    const door = await doorOf(phone, '101')
    return phone.engine.perform('people.mark_resident_gone', { household_id: door.id, resident_id: door.residents[at]!.id, reason: 'moved_away', on: '2026-11-20' })
  }

  it('is off the door at once, comes back when taken back, and the rest are the whole household', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    const door = await doorOf(phone, '101')
    const answers = [{ resident_id: door.residents[1]!.id, status: 'well' as const }]
    await phone.engine.perform('screening.record_door_visit', { household_id: door.id, round_id: ROUND, outcome: 'answered_part', persons: answers })
    const id = await gone(phone, 0)
    expect(await doorOf(phone, '101')).toMatchObject({ head: '李四101', residents: [{ name: '李四101' }] })
    expect(await outcomeOf(phone, '101')).toBe('answered_all')
    expect(await phone.engine.undo([id])).toBe(true)
    expect((await doorOf(phone, '101')).residents).toHaveLength(2)
    await gone(phone, 0)
    phone.clock.now += 6000
    await phone.engine.sync()
    expect(await doorOf(phone, '101')).toMatchObject({ head: '李四101', residents: [{ name: '李四101' }], pending: [] })
  })

  it('the last one too: the household leaves the phone with the pull', async () => {
    const phone = await readyPhone(town)
    await gone(phone, 0)
    await gone(phone, 0)
    expect((await doorOf(phone, '101')).residents).toEqual([])
    await phone.engine.sync()
    expect(await doorOf(phone, '101')).toBeUndefined()
  })
})

describe('a household found at a door', () => {
  async function find(phone: Phone, door: Partial<AddHouseholdPayload>, household = '01900000-0000-7000-8000-0000000f0001'): Promise<string> {
    const area = (await phone.engine.listAreas())[0]!
    const beside = (await phone.engine.listDoors())[0]!
    const residents = [{ id: household.replace('f0', 'e0'), name: '孙新', sex: 2 }]
    const made: DoorRecord = {
      ...beside, ...door.door, id: household, dwellingId: door.dwelling_id ?? household, isMade: true, head: '孙新', phone: '15411112222', states: [], pending: [],
      residents: [{ ...beside.residents[0]!, id: residents[0]!.id, name: '孙新', checks: [] }],
    }
    return phone.engine.perform('people.add_household', { household_id: household, responsibility_area_id: area.id, residents, phone: '15411112222', ...door }, made)
  }

  it('behind a known door is there at once, can be worked at, and stays itself', async () => {
    const phone = await readyPhone(town)
    town.isDown = true
    const dwelling_id = (await doorOf(phone, '101')).dwellingId
    await find(phone, { dwelling_id })
    const made = (await phone.engine.listDoors()).find((one) => one.head === '孙新')!
    expect(made).toMatchObject({ dwellingId: dwelling_id, room: '101', stair: '2', phone: '15411112222', pending: [expect.any(String)] })
    await phone.engine.perform('screening.record_door_visit', visit(made))
    const again = await reopen(town, phone)
    town.isDown = false
    // the area is loaded anew before the outbox is empty
    town.areas[0]!.recut = ++town.version
    await again.engine.sync()
    expect(again.engine.status).toMatchObject({ waiting: 0, needsYou: 0 })
    const after = (await again.engine.listDoors()).filter((one) => one.head === '孙新')
    expect(after).toMatchObject([{ id: made.id, room: '101', states: [{ outcome: 'answered_all' }], pending: [] }])
    expect(after[0]).not.toHaveProperty('isMade')
  })

  it('is not lost to a pull that comes while it waits', async () => {
    const phone = await readyPhone(town)
    await find(phone, { door: { compound: '文苑', building: '1', stair: '2', floor: 5, room: '501' } })
    expect((await doorOf(phone, '501')).floor).toBe(5)
    town.areas[0]!.recut = ++town.version
    town.faults = [{ path: '/api/v1/sync/commands', kind: problem(503, 'busy') }]
    await phone.engine.sync()
    town.faults = [{ path: '/api/v1/sync/commands', kind: 'no_answer' }]
    await phone.engine.sync()
    expect((await doorOf(phone, '501')).head).toBe('孙新')
    await phone.engine.sync()
    expect(town.home('501').residents).toMatchObject([{ name: '孙新' }])
    expect((await phone.engine.listDoors()).filter((one) => one.room === '501')).toHaveLength(1)
  })

  it('taken back is off the phone, refused it stays there until it is tried again or given up', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    const id = await find(phone, { door: { compound: '', building: '1', stair: '2', floor: 5, room: '501' } })
    expect(await phone.engine.undo([id])).toBe(true)
    expect(await doorOf(phone, '501')).toBeUndefined()
    const second = await find(phone, { door: { compound: '', building: '1', stair: '2', floor: 5, room: '502' } })
    town.poison.add(second)
    phone.clock.now += 6000
    await phone.engine.sync()
    town.areas[0]!.recut = ++town.version
    await phone.engine.sync()
    expect([phone.engine.status.needsYou, (await doorOf(phone, '502')).head]).toEqual([1, '孙新'])
    await phone.engine.retry(second)
    await phone.engine.sync()
    expect(town.home('502').residents).toHaveLength(1)
    expect(phone.engine.status).toMatchObject({ waiting: 0, needsYou: 0 })
    const third = await find(phone, { door: { compound: '', building: '1', stair: '2', floor: 5, room: '503' } }, '01900000-0000-7000-8000-0000000f0002')
    town.poison.add(third)
    phone.clock.now += 6000
    await phone.engine.sync()
    await phone.engine.discard(third)
    expect(await doorOf(phone, '503')).toBeUndefined()
  })
})
