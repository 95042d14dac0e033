import { describe, expect, it } from 'vitest'
import { calendarFile } from './calendar'
import { findLike, orderPosts, untilParts, type Post } from './post'

const NOW = Date.parse('2020-02-03T08:00:00+08:00')
const HOUR = 3_600_000
function post(id: string, extra: Partial<Post> = {}): Post {
  return {
    id, communityCode: '1', communityName: '花园社区', title: '东门卡点', kind: 'checkpoint', isDemonstration: false, duty: '测温；登记', place: '东门', startsAt: NOW + HOUR,
    endsAt: NOW + 5 * HOUR, wanted: 2, claimed: 0, isMine: false, claimants: [], ...extra,
  }
}

describe('posts', () => {
  it('puts mine on top, soonest first, and full ones last; past ones are gone', () => {
    const posts = [post('full', { claimed: 2 }), post('later', { startsAt: NOW + 3 * HOUR }), post('soon'), post('mine', { isMine: true }), post('past', { endsAt: NOW - 1 })]
    const { mine, open } = orderPosts(posts, NOW)
    expect(mine.map((one) => one.id)).toEqual(['mine'])
    expect(open.map((one) => one.id)).toEqual(['soon', 'later', 'full'])
  })

  it('offers a post like the one just lost: same kind, then nearest in time, never a full one', () => {
    const lost = post('lost', { claimed: 2 })
    const posts = [lost, post('care', { kind: 'care' }), post('full', { claimed: 2 }), post('like', { startsAt: NOW + 8 * HOUR, endsAt: NOW + 9 * HOUR })]
    expect(findLike(posts, lost, NOW)?.id).toBe('like')
    expect(findLike([lost], lost, NOW)).toBeUndefined()
  })

  it('counts down in days, hours, minutes', () => {
    expect(untilParts(49 * HOUR)).toEqual({ unit: 'days', n: 2 })
    expect(untilParts(5 * HOUR)).toEqual({ unit: 'hours', n: 5 })
    expect(untilParts(90_000)).toEqual({ unit: 'minutes', n: 2 })
  })

  it('writes a calendar file other programs read: UTC times, escapes, short lines', () => {
    const file = calendarFile(post('p', { duty: '测温, 登记; '.repeat(12) }), NOW)
    expect(file).toContain('DTSTART:20200203T010000Z\r\n')
    expect(file).toContain('SUMMARY:东门卡点\r\n')
    expect(file.replace(/\r\n /g, '')).toContain('测温\\, 登记\\;')
    for (const line of file.split('\r\n')) expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75)
  })
})
