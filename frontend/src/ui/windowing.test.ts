import { describe, expect, it } from 'vitest'
import { visibleRange } from './windowing'

describe('visibleRange', () => {
  it('draws a screen of rows and a few to spare, wherever one is in a thousand', () => {
    for (const scrolled of [-200, 0, 5_000, 59_000]) {
      const { start, end } = visibleRange(scrolled, 844, 60)
      expect(end - start).toBeLessThanOrEqual(Math.ceil(844 / 60) + 13)
      expect(start).toBeGreaterThanOrEqual(0)
      expect(end).toBeGreaterThan(start)
    }
  })

  it('covers what is on the screen', () => {
    const { start, end } = visibleRange(6_000, 844, 60)
    expect(start).toBeLessThanOrEqual(100)
    expect(end).toBeGreaterThanOrEqual(115)
  })
})
