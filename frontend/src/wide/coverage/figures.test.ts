import { beforeAll, describe, expect, it, vi } from 'vitest'
import { fewerThanExpected, shareDone, whyMissing, type Row } from './figures'
import { coverageTexts } from './texts'

const OUTCOMES = { answered_all: 5, answered_part: 1, no_answer: 2, refused: 1, vacant: 1, wrong_address: 0, unsafe: 0 }

function row(change: Partial<Row> = {}): Row {
  return {
    code: '379901001001', name: '甲社区', level: 'community', compound: null, building: null,
    communities: 1, communities_unknown: 0, communities_started: 1, communities_done: 0,
    dwellings: 20, dwellings_unassigned: 0, households: 18, households_done: 6, households_missing: 12,
    persons: 40, persons_done: 12, persons_missing: 28, outcomes: OUTCOMES, symptoms: 0,
    expected: { households: 20, persons: 43, communities: 1, source: '公安', as_of: '2026-02-01' },
    ...change,
  }
}

beforeAll(async () => {
  vi.stubGlobal('document', { documentElement: { dataset: {} } })
  await coverageTexts.load()
})

describe('the share that is done', () => {
  it('is of households', () => expect(shareDone(row())).toBeCloseTo(1 / 3))
  it('is unknown without a round and without a registry', () => {
    expect(shareDone(row({ households_done: null }))).toBeNull()
    expect(shareDone(row({ households: null, households_done: null }))).toBeNull()
  })
})

describe('why households are missing', () => {
  it('accounts for every one of them, worst first', () => {
    const said = whyMissing(row())
    expect(said.split(' · ').map((part) => part.replace(/^.* /, '')).map(Number)).toEqual([1, 2, 1, 8])
  })
  it('says nothing where nobody knows', () => expect(whyMissing(row({ outcomes: null, households_missing: null }))).toBe(''))
})

describe('fewer people than expected', () => {
  it('are counted', () => expect(fewerThanExpected(row())).toBe(3))
  it('are none when more are registered', () => expect(fewerThanExpected(row({ persons: 50 }))).toBe(0))
  it('cannot be told between different communities', () => {
    expect(fewerThanExpected(row({ communities: 2 }))).toBeNull()
    expect(fewerThanExpected(row({ communities: 1, communities_unknown: 1 }))).toBeNull()
    expect(fewerThanExpected(row({ expected: null }))).toBeNull()
    expect(fewerThanExpected(row({ persons: null }))).toBeNull()
  })
})
