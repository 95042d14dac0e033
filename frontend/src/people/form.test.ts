import { describe, expect, it } from 'vitest'
import { EMPTY_PERSON, householdChanges, isPhone, personChanges } from './form'

describe('what has changed', () => {
  it('of a household is sent without the rest; an emptied number takes it away', () => {
    const before = { phone: '13812345678', note: '' }
    expect(householdChanges(before, { phone: '138 1234 5678', note: ' ' })).toEqual({})
    expect(householdChanges(before, { phone: '', note: '晚上在家' })).toEqual({ phone: '', note: '晚上在家' })
  })

  it('of a person: an empty birth date and number mean unchanged', () => {
    const before = { ...EMPTY_PERSON, name: '张三', sex: 1, relation: '户主' }
    expect(personChanges(before, { ...before })).toEqual({})
    expect(personChanges(before, { ...before, name: ' 张山 ', birthOn: '1960-01-02', phone: '+86 13812345678' })).toEqual({
      name: '张山',
      birth_on: '1960-01-02',
      phone: '13812345678',
    })
  })
})

it('a number is one that could be dialled, or none', () => {
  for (const good of ['', '13812345678', '138 1234 5678', '１３８１２３４５６７８', '0531-8765432', '87654321']) expect(isPhone(good), good).toBe(true)
  for (const bad of ['12', '1381234567', '23812345678', '电话']) expect(isPhone(bad), bad).toBe(false)
})
