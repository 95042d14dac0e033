import { describe, expect, it } from 'vitest'
import { language, loadTexts } from '../app/i18n'
import type { Door, DoorState } from './door'
import { isDue, RETRY_AFTER_MS } from './door'
import { nextDoor } from './walk'
import { againWord } from './words'

const NOW = Date.parse('2020-02-03T10:00:00+08:00')

function door(building: string, stair: string, floor: number | null, room: string, state: DoorState = 'todo', extra: Partial<Door> = {}): Door {
  return {
    id: `${building}-${stair}-${room || extra.address}`, dwellingId: '', areaId: 'area', communityCode: '370100000000', compound: '', building, stair, floor, room,
    address: '', head: '', initials: '', tags: [], phone: '', note: '', members: [], states: [], state, attempts: 0, at: null, by: '', askedAt: null, askedBy: '', missed: 0, notice: 0, report: null, isWaiting: false, care: null, ...extra,
  }
}

describe('nextDoor', () => {
  it('stays on the floor first, then takes the nearest floor, upwards when both are as near', () => {
    const stair = [1, 2, 3, 4].flatMap((floor) => [door('1', '1', floor, `${floor}01`), door('1', '1', floor, `${floor}02`)])
    const walked: string[] = []
    let here: Door | undefined = stair.find((one) => one.room === '201')
    while (here) {
      walked.push(here.room)
      here.state = 'answered_all'
      here = nextDoor(stair, here, NOW)
    }
    expect(walked).toEqual(['201', '202', '301', '302', '401', '402', '101', '102'])
  })

  it('walks down when the work began at the top', () => {
    const stair = [1, 2, 3].map((floor) => door('1', '1', floor, `${floor}01`))
    stair[2]!.state = 'answered_all'
    expect(nextDoor(stair, stair[2]!, NOW)?.room).toBe('201')
  })

  it('goes to the next stair in natural order, from the ground, and round to the first', () => {
    const doors = [door('10', '1', 1, '101'), door('2', '1', 1, '101', 'answered_all'), door('2', '2', 2, '201'), door('2', '2', 1, '102'), door('1', '1', 1, '101')]
    const next = nextDoor(doors, doors[1]!, NOW)
    expect(next?.id).toBe('2-2-102')
    for (const one of doors) if (one.building === '2') one.state = 'answered_all'
    expect(nextDoor(doors, doors[1]!, NOW)?.id).toBe('10-1-101')
    doors[0]!.state = 'vacant'
    expect(nextDoor(doors, doors[1]!, NOW)?.id).toBe('1-1-101')
  })

  it('does not propose a door that has just not opened, but does some hours later', () => {
    const here = door('1', '1', 1, '101', 'answered_all')
    const missed = door('1', '1', 1, '102', 'no_answer', { at: NOW - 60_000, attempts: 1 })
    expect(nextDoor([here, missed], here, NOW)).toBeUndefined()
    expect(nextDoor([here, missed], here, NOW + RETRY_AFTER_MS)?.room).toBe('102')
  })

  it('leaves refusals alone: somebody has to decide about them first', () => {
    const refused = door('1', '1', 1, '101', 'refused', { at: NOW - 24 * 3_600_000 })
    expect(nextDoor([refused], null, NOW)).toBeUndefined()
  })

  it('follows the house numbers of a lane and comes back for those left behind', () => {
    const lane = ['前街2号', '前街10号', '前街1号'].map((address) => door('', '', null, '', 'todo', { address }))
    expect(nextDoor(lane, lane[0]!, NOW)?.address).toBe('前街10号')
    expect(nextDoor(lane, lane[1]!, NOW)?.address).toBe('前街1号')
  })

  it('ends when nothing is left', () => {
    const only = door('1', '1', 1, '101')
    expect(nextDoor([only], only, NOW)).toBeUndefined()
  })
})

describe('a door where nobody opened', () => {
  const at = (clock: string): number => Date.parse(`2020-02-${clock}:00+08:00`)
  const dueAt = (tried: string, clock: string): boolean => isDue({ state: 'no_answer', at: at(tried), missed: 0 }, at(clock))

  it('comes back in another part of the day, some hours later', () => {
    expect(['03T11:00', '03T11:59', '03T12:00', '03T19:00'].map((clock) => dueAt('03T08:00', clock))).toEqual([false, false, true, true])
    expect(['03T12:30', '03T13:29', '03T13:30'].map((clock) => dueAt('03T11:30', clock))).toEqual([false, false, true])
  })

  it('is not proposed at the same hour of the next day, but later on it', () => {
    expect(['04T09:00', '04T14:00'].map((clock) => dueAt('03T09:00', clock))).toEqual([false, true])
    expect(['03T23:30', '04T08:00', '04T20:00'].map((clock) => dueAt('03T20:00', clock))).toEqual([false, true, false])
  })

  it('waits for a part of the day in which nobody has been there, as long as there is one', () => {
    const after = (missed: number, clock: string): boolean => isDue({ state: 'no_answer', at: at('04T14:00'), missed }, at(clock))
    // morning and afternoon tried: the evening, not the next morning
    expect(['04T17:00', '04T19:00', '05T09:00', '05T19:00'].map((clock) => after(3, clock))).toEqual([false, true, false, true])
    // all tried: any but the last
    expect(['04T17:00', '04T19:00', '05T09:00'].map((clock) => after(7, clock))).toEqual([false, true, true])
  })
})

describe('againWord', () => {
  const at = (clock: string): number => Date.parse(`2020-02-${clock}:00+08:00`)
  const word = (tried: string, clock: string): string => againWord({ state: 'no_answer', at: at(tried), missed: 0 }, at(clock))

  it('says when it was tried and when to go again', async () => {
    language.value = 'zh-CN'
    await loadTexts()
    expect(word('03T09:00', '03T09:30')).toBe('上午敲过，下午再去')
    expect(word('03T17:00', '03T17:30')).toBe('下午敲过，晚上再去')
    expect(word('03T20:00', '03T20:30')).toBe('晚上敲过，明天上午再去')
    expect(word('03T09:00', '03T15:00')).toBe('上午敲过，现在可以再去')
    expect(againWord({ state: 'no_answer', at: at('03T14:00'), missed: 1 }, at('03T15:00'))).toBe('上午/下午敲过，晚上再去')
    expect(againWord({ state: 'refused', at: at('03T09:00'), missed: 0 }, at('03T09:30'))).toBe('')
  })
})
