import { beforeAll, describe, expect, it } from 'vitest'
import { language, loadTexts } from '../app/i18n'
import { rankOnce, type Door } from './door'
import { doorName, floorsOf, fullAddress, groupByStair, laneOf, stairTitle } from './places'

function place(compound: string, building: string, stair: string, floor: number | null, room: string, address = '') {
  return { compound, building, stair, floor, room, address }
}

beforeAll(async () => {
  language.value = 'zh-CN'
  await loadTexts()
})

describe('places', () => {
  it('draws the top floor first and rooms from left to right', () => {
    const rooms = [place('', '3', '1', 1, '101'), place('', '3', '1', 10, '1002'), place('', '3', '1', 10, '1001'), place('', '3', '1', 2, '201')]
    expect(floorsOf(rooms).map((row) => [row.floor, row.tiles.map((tile) => tile.room)])).toEqual([
      [10, ['1001', '1002']],
      [2, ['201']],
      [1, ['101']],
    ])
  })

  it('puts doors without a floor below the others', () => {
    expect(floorsOf([place('', '3', '1', null, '门面'), place('', '3', '1', 1, '101')]).map((row) => row.floor)).toEqual([1, null])
  })

  it('names stairs in words, and leaves names alone that already are', () => {
    expect(stairTitle(place('', '3', '2', 5, '502'))).toBe('3号楼 2单元')
    expect(stairTitle(place('花园小区', '甲3号楼', '东单元', 5, '502'), true)).toBe('花园小区 甲3号楼 东单元')
  })

  it('reads the lane out of a free address', () => {
    expect(laneOf(place('', '', '', null, '', '前街12号'))).toBe('前街')
    expect(laneOf(place('', '', '', null, '', '张家庄 村东 7'))).toBe('张家庄 村东')
    expect(doorName(place('', '', '', null, '', '前街12号'))).toBe('12号')
  })

  it('writes the whole address of a flat and of a village house', () => {
    expect(fullAddress(place('花园小区', '3', '2', 5, '502'))).toBe('花园小区 3号楼 2单元 502')
    expect(fullAddress(place('', '', '', null, '', '前街12号'))).toBe('前街12号')
  })

  it('groups by stair in natural order and counts what is done', () => {
    const doors = [
      { ...place('', '10', '1', 1, '101'), state: 'todo' },
      { ...place('', '2', '1', 1, '102'), state: 'answered_all' },
      { ...place('', '2', '1', 1, '101'), state: 'no_answer' },
    ] as Door[]
    expect(groupByStair(doors).map((group) => [group.title, group.done, group.doors.map((door) => door.room)])).toEqual([
      ['2号楼 1单元', 1, ['101', '102']],
      ['10号楼 1单元', 0, ['101']],
    ])
  })

  it('puts what is due on top and what is finished last, as it was when the list was opened', () => {
    const noon = Date.parse('2020-02-03T12:00:00+08:00')
    const door = (id: string, building: string, room: string, state: string) =>
      ({ id, ...place('', building, '1', 1, room), state, at: state === 'no_answer' ? noon - 60_000 : null, missed: 0 }) as unknown as Door
    const doors = [door('a', '1', '101', 'answered_all'), door('b', '1', '102', 'vacant'), door('c', '2', '101', 'no_answer'), door('d', '3', '101', 'answered_all'), door('e', '3', '102', 'todo'), door('f', '4', '101', 'todo')]
    const rankOf = rankOnce(noon)
    const order = (of: Door[], rank = rankOf) => groupByStair(of, rank).map((group) => group.doors.map((one) => one.id).join(''))
    expect(order(doors)).toEqual(['ed', 'f', 'c', 'ab'])
    const worked = doors.map((one) => (one.id === 'e' ? ({ ...one, state: 'answered_all' } as Door) : one))
    expect(order(worked)).toEqual(['ed', 'f', 'c', 'ab'])
    expect(order(worked, rankOnce(noon))).toEqual(['f', 'c', 'ab', 'de'])
  })
})
