import { describe, expect, it } from 'vitest'
import { emptyDraft, isUntouched, parseTemperature, summarise, wellAnswer, withStatus, withSymptoms, withTemperature } from './form'

describe('the form at the door', () => {
  it('says everybody is well when nobody was touched', () => {
    const summary = summarise(['a', 'b'], emptyDraft())
    expect(summary.outcome).toBe('answered_all')
    expect(summary.persons).toEqual([
      { resident_id: 'a', status: 'well' },
      { resident_id: 'b', status: 'well' },
    ])
    expect(isUntouched(emptyDraft())).toBe(true)
  })

  it('counts a household as answered in part while somebody is not asked', () => {
    const draft = { ...emptyDraft(), answers: { b: withStatus(wellAnswer(), 'unknown', 37.3) } }
    const summary = summarise(['a', 'b', 'c'], draft)
    expect(summary.outcome).toBe('answered_part')
    expect(summary.counts).toEqual({ well: 2, symptoms: 0, away: 0, unknown: 1 })
    expect(isUntouched(draft)).toBe(false)
  })

  it('takes somebody away as answered for', () => {
    expect(summarise(['a'], { ...emptyDraft(), answers: { a: withStatus(wellAnswer(), 'away', 37.3) } }).outcome).toBe('answered_all')
  })

  it('makes a fever a symptom, and takes it back with the temperature', () => {
    const fever = withTemperature(wellAnswer(), 37.3, 37.3)
    expect(fever).toMatchObject({ status: 'symptoms', symptoms: ['fever'], temperature: 37.3 })
    expect(withTemperature(fever, 36.5, 37.3).symptoms).toEqual([])
    expect(withStatus(fever, 'well', 37.3)).toMatchObject({ temperature: null, symptoms: [] })
    expect(withTemperature(wellAnswer(), 37.2, 37.3)).toMatchObject({ status: 'well', symptoms: [] })
  })

  it('forgets what does not fit somebody who is away', () => {
    const ill = withSymptoms(withTemperature(wellAnswer(), 38, 37.3), ['fever', 'cough'])
    expect(withStatus(ill, 'away', 37.3)).toMatchObject({ temperature: null, symptoms: [] })
  })

  it('sends only what was said', () => {
    const draft = { ...emptyDraft(), answers: { a: { ...withTemperature(wellAnswer(), 38, 37.3), riskArea: true } } }
    expect(summarise(['a'], draft).persons).toEqual([{ resident_id: 'a', status: 'symptoms', temperature_c: 38, symptoms: ['fever'], risk_area: true }])
  })

  it.each([
    ['36.8', 36.8],
    ['36。8', 36.8],
    ['３６．８', 36.8],
    ['368', 36.8],
    ['37', 37],
    ['36.85', 36.9],
    ['33.9', null],
    ['43.1', null],
    ['abc', null],
    ['', null],
  ])('reads the temperature %s', (typed, read) => {
    expect(parseTemperature(typed)).toBe(read)
  })
})
