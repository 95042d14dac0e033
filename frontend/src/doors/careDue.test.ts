import { describe, expect, it } from 'vitest'
import { listCareDue, listUrgent, needsCare } from './careDue'
import type { Door } from './door'

const TODAY = '2020-02-03'
function door(id: string, extra: Partial<Door>): Door {
  return { id, tags: [], members: [], care: null, state: 'todo', ...extra } as unknown as Door
}

describe('care due', () => {
  it('asks for an elder living alone whom nobody has visited, and for promises that have come', () => {
    expect(needsCare(door('a', { tags: ['living_alone_elder'] }), TODAY)).toBe(true)
    expect(needsCare(door('b', { tags: ['tenant'] }), TODAY)).toBe(false)
    expect(needsCare(door('c', { care: { residentId: null, condition: 'well', at: 1, nextOn: TODAY } }), TODAY)).toBe(true)
    expect(needsCare(door('d', { care: { residentId: null, condition: 'well', at: 1, nextOn: '2020-02-04' } }), TODAY)).toBe(false)
  })

  it('puts illness before broken promises, the oldest promise first', () => {
    const doors = [
      door('late', { care: { residentId: null, condition: 'well', at: 1, nextOn: '2020-02-01' } }),
      door('later', { care: { residentId: null, condition: 'well', at: 1, nextOn: '2020-01-20' } }),
      door('ill', { members: [{ id: 'm', name: '王', check: { status: 'symptoms', temperature: 38 } }] as Door['members'] }),
    ]
    expect(listUrgent(doors, TODAY, 37.3).map((one) => one.door.id)).toEqual(['ill', 'later', 'late'])
    expect(listCareDue(doors, TODAY)).toEqual([])
  })

  it('takes for a finding what the rule in force does, and a contact', () => {
    const of = (check: object) => [door('a', { members: [{ id: 'm', name: '王', check }] as unknown as Door['members'] })]
    const warm = of({ status: 'well', temperature: 37.2 })
    expect([37.3, 37.2].map((feverFrom) => listUrgent(warm, TODAY, feverFrom).length)).toEqual([0, 1])
    expect(listUrgent(of({ status: 'well', temperature: null, riskArea: true }), TODAY, 37.3)).toHaveLength(1)
  })
})
