import { describe, expect, it } from 'vitest'
import type { ImportColumn, ImportField, ImportSheet } from './imports'
import { choicesFor, fieldAfter, fieldLabel, mergeMapping, shownSheets, stateOf, unknownColumns, withChange } from './mapping'

const column = (letter: string, field: string | null, header = letter): ImportColumn => ({ letter, header, field, samples: [] })
const sheet = (...columns: ImportColumn[]): ImportSheet => ({ name: '名册', header_row: 1, columns, rows: [] })
const FIELDS: ImportField[] = [
  { field: 'room', label: '门牌号', is_person: false },
  { field: 'name', label: '姓名', is_person: true },
  { field: 'phone', label: '联系电话', is_person: true },
]
const member = (n: number, label: string) => `第${n}人${label}`
const A = column('A', 'room')
const B = column('B', null, '称呼')
const C = column('C', 'name')

describe('what a column holds', () => {
  it('is what its header word says until somebody says otherwise', () => {
    expect([A, B, C].map((one) => fieldAfter(one, {}))).toEqual(['room', null, 'name'])
    expect([A, B, C].map((one) => stateOf(one, null, {}))).toEqual(['known', 'unknown', 'known'])
  })

  it('moves: a field given to another column leaves the one it was found in', () => {
    expect([A, B, C].map((one) => fieldAfter(one, { B: 'name' }))).toEqual(['room', 'name', null])
  })

  it('tells what a person said from what was recognised', () => {
    expect(stateOf(B, { B: 'name' }, {})).toBe('changed')
    expect(stateOf(B, { B: null }, {})).toBe('left_out')
    expect(stateOf(A, null, { A: null })).toBe('left_out')
  })

  it('points out the columns nobody knows', () => {
    expect(unknownColumns(sheet(A, B, C), null, {}).map((one) => one.letter)).toEqual(['B'])
    expect(unknownColumns(sheet(A, B, C), null, { B: null })).toEqual([])
  })
})

describe('changing', () => {
  it('and changing back is no change', () => {
    const once = withChange({}, B, 'name')
    expect(once).toEqual({ B: 'name' })
    expect(withChange(once, B, null)).toEqual({})
  })

  it('gives a field to one column only', () => {
    const twice = withChange(withChange({}, B, 'phone'), C, 'phone')
    expect(twice).toEqual({ C: 'phone' })
  })

  it('is added to what was said before', () => {
    expect(mergeMapping({ B: 'name', D: null }, { C: 'phone' })).toEqual({ B: 'name', D: null, C: 'phone' })
    expect(mergeMapping({ B: 'name' }, { C: 'name' })).toEqual({ C: 'name' })
    expect(mergeMapping(null, {})).toEqual({})
  })
})

describe('choices', () => {
  it('are the fields; with persons side by side also those of each person and one more', () => {
    expect(choicesFor(sheet(A, C), FIELDS, member).map((one) => one.value)).toEqual(['room', 'name', 'phone'])
    const wide = choicesFor(sheet(A, column('D', 'member2_name')), FIELDS, member)
    expect(wide.map((one) => one.value).filter((value) => value.startsWith('member3'))).toEqual(['member3_name', 'member3_phone'])
    expect(wide.at(-1)).toEqual({ value: 'member3_phone', label: '第3人联系电话' })
  })

  it('are called by their label', () => {
    expect(fieldLabel('room', FIELDS, member)).toBe('门牌号')
    expect(fieldLabel('member2_phone', FIELDS, member)).toBe('第2人联系电话')
    expect(fieldLabel('shoe_size', FIELDS, member)).toBe('shoe_size')
  })
})

describe('sheets', () => {
  it('without columns are left aside unless there is nothing else', () => {
    expect(shownSheets([sheet(), sheet(A)]).length).toBe(1)
    expect(shownSheets([sheet(), sheet()]).length).toBe(2)
  })
})
