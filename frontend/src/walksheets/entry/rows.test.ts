import type { OwnAnswer, Question } from '../../questions/form'
import { describe, expect, it } from 'vitest'
import { entryOf, isSecond, type SheetRow, type TypedRow } from './rows'

const row = { household_id: 'h', members: ['a', 'b', 'c'].map((id) => ({ resident_id: id, relation: '' })), outcome: null, asked_at: null } as unknown as SheetRow
const typed = (more: Partial<TypedRow>): TypedRow => ({ id: 'v', outcome: 'answered_all', temps: '', time: '', note: '', reason: '', isDone: true, ...more })
const entry = (more: Partial<TypedRow>, of = row) => entryOf(of, typed(more), '2026-02-01', '09:00', 37.3)

describe('a typed row', () => {
  it('is all well when one key was pressed', () => {
    expect(entry({})).toMatchObject({ id: 'v', outcome: 'answered_all', recorded_at: '2026-02-01T09:00:00+08:00', note: null, again_reason: null })
    expect((entry({}) as { persons: { status: string }[] }).persons.map((one) => one.status)).toEqual(['well', 'well', 'well'])
  })

  it('gives temperatures to members in their order, and a fever is a symptom', () => {
    const { persons } = entry({ temps: '368  外 ３７．９', time: '10:20' }) as { persons: object[] }
    expect(persons).toMatchObject([{ status: 'well', temperature_c: 36.8 }, { status: 'away' }, { status: 'symptoms', temperature_c: 37.9, symptoms: ['fever'] }])
    expect(entry({ time: '10:20' })).toMatchObject({ recorded_at: '2026-02-01T10:20:00+08:00' })
  })

  it('takes symptoms and contacts by key, with a temperature or alone', () => {
    const of = (temps: string) => (entry({ temps }) as { persons: object[] }).persons
    expect(of('36.9症 疫 -')).toMatchObject([{ status: 'symptoms', temperature_c: 36.9, symptoms: [] }, { status: 'well', risk_area: true }, { status: 'well' }])
    expect(of('379SC z 外疫')).toMatchObject([{ status: 'symptoms', temperature_c: 37.9, symptoms: ['fever'], risk_area: true }, { status: 'symptoms' }, { status: 'away', risk_area: true }])
    expect(of('36.5')[0]).not.toHaveProperty('risk_area')
    for (const temps of ['x症', '外症', '疫36.5', '36.5q']) expect(entry({ temps })).toBe('bad_temps')
  })

  it('is answered in part by who was asked', () => {
    expect(entry({ temps: '36.5 x' })).toMatchObject({ outcome: 'answered_part' })
    expect(entry({ outcome: 'answered_part', temps: '36.5 -' })).toMatchObject({ outcome: 'answered_part', persons: [{}, { status: 'well' }, { status: 'unknown' }] })
    expect(entry({ outcome: 'answered_part', temps: '36.5 36.6 36.7' })).toMatchObject({ outcome: 'answered_all' })
  })

  it('says of nobody anything where nobody answered', () => {
    expect(entry({ outcome: 'refused', temps: '36.5' })).toMatchObject({ outcome: 'refused', persons: [] })
  })

  it('says what is wrong', () => {
    expect(entry({ outcome: '' })).toBe('need_outcome')
    expect(entry({ temps: '99' })).toBe('bad_temps')
    expect(entry({ temps: '36 36 36 36' })).toBe('too_many')
    expect(entryOf(row, typed({}), '', '09:00', 37.3)).toBe('need_day')
  })

  it('needs a reason where all were asked on that day', () => {
    const asked = { ...row, outcome: 'answered_all', asked_at: '2026-02-01T08:00:00+08:00' } as SheetRow
    expect(entry({}, asked)).toBe('need_reason')
    expect(entry({ reason: 'correction' }, asked)).toMatchObject({ again_reason: 'correction' })
    expect(entry({ outcome: 'no_answer' }, asked)).toMatchObject({ outcome: 'no_answer' })
    expect(isSecond(asked, undefined, '2026-02-02')).toBe(false)
  })

  describe('with questions on the paper', () => {
    const came = { id: 'came', text: '', kind: 'yes_no', per: 'person', is_required: true } as Question
    const when = { id: 'when', text: '', kind: 'date', per: 'person', is_required: true, shown_when: { question: 'came', values: [true] } } as unknown as Question
    const masks = { id: 'masks', text: '', kind: 'number', per: 'household', least: 0, most: 500 } as Question
    const asked = (change: Partial<TypedRow>) => entryOf(row, typed(change), '2026-02-01', '09:00', 37.3, [came, when, masks])
    const no = (id: string): OwnAnswer => ({ question: 'came', resident_id: id, value: false })
    const [first, second, third] = row.members.map((one) => one.resident_id) as [string, string, string]

    it('asks by the same rules as a phone: of who was there, what is required, what hangs on another answer', () => {
      expect(asked({})).toBe('need_answers')
      expect(asked({ own: [no(first), no(second), { ...no(third), value: true }] })).toBe('need_answers')
      const day: OwnAnswer = { question: 'when', resident_id: third, value: '2026-01-20' }
      expect(asked({ own: [no(first), no(second), { ...no(third), value: true }, day] })).toMatchObject({ answers: [no(first), no(second), { ...no(third), value: true }, day] })
      // what a later answer has hidden was not said; nobody asks who is away, or anybody where nobody opened
      expect(asked({ temps: '36.5 a x', outcome: 'answered_part', own: [no(first), day] })).toMatchObject({ answers: [no(first)] })
      expect(asked({ outcome: 'refused', own: [no(first)] })).toMatchObject({ answers: [] })
    })

    it('reads numbers as they were typed', () => {
      const all = [no(first), no(second), no(third)]
      expect(asked({ own: [...all, { question: 'masks', value: '２０' }] })).toMatchObject({ answers: [{ question: 'masks', value: 20 }, ...all] })
      expect(asked({ own: [...all, { question: 'masks', value: '501' }] })).toBe('bad_answers')
      expect(asked({ own: [...all, { question: 'masks', value: '二十' }] })).toBe('bad_answers')
    })
  })
})
