import { describe, expect, it } from 'vitest'
import { listCareDue, listUrgent, needsCare } from './careDue'
import { FIRST_RULES } from '../app/limits'
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
    expect(listUrgent(doors, TODAY, () => FIRST_RULES).map((one) => one.door.id)).toEqual(['ill', 'later', 'late'])
    expect(listCareDue(doors, TODAY)).toEqual([])
  })

  it('takes for a finding what the rules of the day people were asked on do', () => {
    const of = (check: object) => [door('a', { askedAt: Date.parse('2020-02-02T01:00:00Z'), members: [{ id: 'm', name: '王', check }] as unknown as Door['members'] })]
    const found = (check: object, rules: object) => listUrgent(of(check), TODAY, (day) => ({ ...FIRST_RULES, ...(day === '2020-02-02' && rules) })).length
    const warm = { status: 'well', temperature: 37.2 }
    expect([found(warm, {}), found(warm, { temperature_c: 37.2 })]).toEqual([0, 1])
    const cough = { status: 'symptoms', temperature: null }
    expect([found(cough, {}), found(cough, { symptoms: false })]).toEqual([1, 0])
    const near = { status: 'away', temperature: null, riskArea: true }
    expect([found(near, {}), found(near, { contact: false })]).toEqual([1, 0])
    // a rule that leaves symptoms alone follows a fever up as before
    expect(found({ status: 'symptoms', temperature: 38 }, { symptoms: false })).toBe(1)
  })
})
