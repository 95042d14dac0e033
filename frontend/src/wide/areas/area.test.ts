import { describe, expect, it } from 'vitest'
import { countHeld, countWithoutOwner, markAreas, orderAssignees, proposeName, signOf, sortSelection, toggleGroup, type Account, type Area } from './area'
import type { Building, Door } from './facade'

const area = (id: string, given: Partial<Area> = {}): Area => ({
  id, community_code: '990101001001', community_name: '', name: id, note: '', dwelling_count: 10, household_count: 8, is_open: true, epoch: 0,
  version: 1, holder: null, assigned_at: null, places: [], ...given,
})
const door = (id: string, lies: string | null = null, given: Partial<Door> = {}): Door => ({
  dwelling_id: id, compound: '', building: '3', stair: '1', floor: 1, room: id, address: '', is_vacant: false, household_count: 1, resident_count: 2,
  responsibility_area_id: lies, ...given,
})
const account = (name: string, role: string, given: Partial<Account> = {}): Account => ({
  id: name, name,
  grants: [{ role, division_code: '990101001001', name: '', level: 'community' }] as Account['grants'], ...given,
})

describe('signs', () => {
  it('are letters that never repeat', () => {
    expect([0, 25, 26, 27, 51, 54].map(signOf)).toEqual(['A', 'Z', 'AA', 'AB', 'AZ', 'BC'])
    const marked = markAreas(Array.from({ length: 60 }, (_, n) => area(String(n))))
    expect(new Set([...marked.values()].map((one) => one.sign)).size).toBe(60)
  })
})

describe('doors without an owner', () => {
  it('are those in no area and those whose area nobody holds', () => {
    const buildings = [{ unassigned_count: 5 }, { unassigned_count: 0 }] as Building[]
    const areas = [area('a', { holder: { id: 'x', name: '周敏' } }), area('b', { dwelling_count: 7 })]
    expect(countWithoutOwner(buildings, areas)).toEqual({ inNoArea: 5, unheld: 7 })
  })
})

describe('a selection', () => {
  it('is told apart by what can be done with it', () => {
    const doors = [door('1'), door('2', 'a'), door('3', 'b', { household_count: 2 })]
    expect(sortSelection(doors, 'a')).toEqual({ free: ['1'], own: ['2'], other: ['3'], households: 4 })
    expect(sortSelection(doors, null)).toEqual({ free: ['1'], own: [], other: ['2', '3'], households: 4 })
  })

  it('of a stair takes the doors that can be used, and gives them back the second time', () => {
    const stair = [door('1'), door('2', 'a'), door('3')]
    const once = toggleGroup(new Set(['9']), stair, null)
    expect([...once].sort()).toEqual(['1', '3', '9'])
    expect([...toggleGroup(once, stair, null)]).toEqual(['9'])
    expect([...toggleGroup(new Set(), stair, 'a')].sort()).toEqual(['1', '2', '3'])
  })

  it('of a stair that is all taken takes them all, to be looked at', () => {
    expect([...toggleGroup(new Set(), [door('2', 'a')], null)]).toEqual(['2'])
  })
})

describe('who can answer', () => {
  it('are people who work doors first', () => {
    const accounts = [
      account('赵志强', 'street'), account('周敏', 'grid_worker'), account('平台', 'api_client'),
      account('李建国', 'party_member'), account('看', 'viewer'),
    ]
    expect(orderAssignees(accounts).map((one) => one.name)).toEqual(['周敏', '李建国', '赵志强'])
  })

  it('are shown with what they hold', () => {
    const held = { holder: { id: 'x', name: '周敏' } }
    expect(countHeld([area('a', held), area('b'), area('c', { ...held, household_count: 4 })], 'x')).toEqual({ areas: 2, households: 12 })
  })
})

describe('a name to begin with', () => {
  const title = (one: Door) => [`${one.building}号楼`, one.stair && `${one.stair}单元`].filter(Boolean).join(' ')

  it('is the stair, the stairs of a building, or the buildings', () => {
    expect(proposeName([door('1'), door('2')], title)).toBe('3号楼 1单元')
    expect(proposeName([door('1'), door('2', null, { stair: '2' })], title)).toBe('3号楼 1单元、2单元')
    expect(proposeName([door('1', null, { stair: '' }), door('2', null, { building: '4', stair: '' })], title)).toBe('3号楼、4号楼')
    expect(proposeName([], title)).toBe('')
  })
})
