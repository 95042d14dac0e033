/** Corrections at the door: seen at once, undone when refused, merged with what others changed, replaced by the pull. */
import { beforeEach, describe, expect, it } from 'vitest'
import { doorOf, outcomeOf, readyPhone, record, reopen, type Phone } from './phone'
import { Town } from './town'

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
