import { describe, expect, it } from 'vitest'
import { bodyOf, checkForm, emptyForm, formOf, instantOf, missingOf, wallTime, type Post } from './postForm'

const NOW = Date.parse('2026-03-01T00:00:00Z')
const form = (given: Partial<ReturnType<typeof emptyForm>> = {}) => ({
  ...emptyForm(), title: '东门卡点', startsAt: '2026-03-02T08:00', endsAt: '2026-03-02T12:00', ...given,
})

describe('times', () => {
  it('are a clock in Shanghai on whatever computer', () => {
    expect(wallTime('2026-03-01T23:30:00Z')).toBe('2026-03-02T07:30')
    expect(new Date(instantOf('2026-03-02T07:30')).toISOString()).toBe('2026-03-01T23:30:00.000Z')
    expect(wallTime(instantOf('2026-12-31T00:05'))).toBe('2026-12-31T00:05')
  })
})

describe('a post', () => {
  it('goes into the form and comes out the same', () => {
    const post: Post = {
      id: '1', community_code: '990101001001', community_name: '', title: '东门卡点', kind: 'watch', is_demonstration: true, duty: '登记来访',
      place: '东门', starts_at: '2026-03-02T00:00:00Z', ends_at: '2026-03-02T04:00:00Z', wanted_count: 3, claimed_count: 1, is_published: false,
      is_mine: false, version: 1, claimants: [],
    }
    expect(bodyOf(formOf(post))).toEqual({
      title: '东门卡点', kind: 'watch', is_demonstration: true, duty: '登记来访', place: '东门', starts_at: '2026-03-02T08:00:00+08:00',
      ends_at: '2026-03-02T12:00:00+08:00', wanted_count: 3, is_published: false,
    })
  })

  it('says how many are still wanted', () => {
    expect(missingOf({ wanted_count: 4, claimed_count: 2 })).toBe(2)
    expect(missingOf({ wanted_count: 2, claimed_count: 2 })).toBe(0)
  })
})

describe('checking the form', () => {
  it('finds nothing wrong with a whole one, nor with a new one but its title', () => {
    expect(checkForm(form(), 0, NOW)).toEqual({})
    expect(checkForm(emptyForm(), 0, Date.now())).toEqual({ title: 'wrong.title' })
  })

  it('says which field is wrong and why', () => {
    expect(checkForm(form({ title: '  ' }), 0, NOW)).toEqual({ title: 'wrong.title' })
    expect(checkForm(form({ startsAt: '' }), 0, NOW)).toEqual({ startsAt: 'wrong.starts' })
    expect(checkForm(form({ endsAt: '2026-03-02T08:00' }), 0, NOW)).toEqual({ endsAt: 'wrong.order' })
    expect(checkForm(form(), 0, NOW + 40 * 86_400_000)).toEqual({ endsAt: 'wrong.over' })
    for (const wanted of ['', '0', '1001', '2.5', 'two']) expect(checkForm(form({ wanted }), 0, NOW)).toEqual({ wanted: 'wrong.wanted' })
    expect(checkForm(form({ wanted: '2' }), 3, NOW)).toEqual({ wanted: 'wrong.claimed' })
  })
})
