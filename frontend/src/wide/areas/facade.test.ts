import { describe, expect, it } from 'vitest'
import { doorBeside, layOut, type Door } from './facade'

function door(stair: string, floor: number | null, room: string, given: Partial<Door> = {}): Door {
  return {
    dwelling_id: `${stair}/${room}`, compound: '', building: '3', stair, floor, room, address: '', is_vacant: false, household_count: 1,
    resident_count: 2, responsibility_area_id: null, ...given,
  }
}
const rooms = (doors: Door[][]) => doors.map((floor) => floor.map((one) => one.room))
const BUILDING = [
  door('2', 1, '101'), door('10', 1, '101'), door('1', 1, '102'), door('1', 1, '101'), door('1', 2, '201'), door('1', 3, '301'), door('1', 3, '302'),
  door('2', 3, '301'),
]

describe('a facade', () => {
  it('has the top floor on top, stairs side by side in natural order, and gaps where a stair has no door', () => {
    const facade = layOut(BUILDING)
    expect(facade.isLane).toBe(false)
    expect(facade.floors).toEqual([3, 2, 1])
    expect(facade.stairs.map((stair) => stair.stair)).toEqual(['1', '2', '10'])
    expect(rooms(facade.stairs[0]!.floors)).toEqual([['301', '302'], ['201'], ['101', '102']])
    expect(rooms(facade.stairs[1]!.floors)).toEqual([['301'], [], ['101']])
  })

  it('puts doors of an unknown floor below', () => {
    expect(layOut([door('1', null, '门市'), door('1', 1, '101')]).floors).toEqual([1, null])
  })

  it('is a list by lane where there are neither stairs nor floors', () => {
    const free = (address: string) => door('', null, '', { building: '', address, dwelling_id: address })
    const facade = layOut([free('前街12号'), free('后街1号'), free('前街2号')])
    expect(facade.isLane).toBe(true)
    expect(facade.stairs.map((lane) => [lane.stair, lane.doors.length])).toEqual([['后街', 1], ['前街', 2]])
  })
})

describe('arrows', () => {
  const facade = layOut(BUILDING)

  it('lead along the floor through the stairs, and stop at the edge', () => {
    expect(doorBeside(facade, '1/101', 'ArrowRight')).toBe('1/102')
    expect(doorBeside(facade, '1/102', 'ArrowRight')).toBe('2/101')
    expect(doorBeside(facade, '1/101', 'ArrowLeft')).toBeNull()
  })

  it('lead up and down in the stair, past a floor it does not have', () => {
    expect(doorBeside(facade, '1/102', 'ArrowUp')).toBe('1/201')
    expect(doorBeside(facade, '1/201', 'ArrowUp')).toBe('1/301')
    expect(doorBeside(facade, '2/301', 'ArrowDown')).toBe('2/101')
    expect(doorBeside(facade, '1/301', 'ArrowUp')).toBeNull()
  })

  it('lead along a lane', () => {
    const lane = layOut([door('', null, '1号', { dwelling_id: 'a' }), door('', null, '2号', { dwelling_id: 'b' })])
    expect([doorBeside(lane, 'a', 'ArrowRight'), doorBeside(lane, 'a', 'ArrowDown'), doorBeside(lane, 'b', 'ArrowUp')]).toEqual(['b', 'b', 'a'])
  })
})
