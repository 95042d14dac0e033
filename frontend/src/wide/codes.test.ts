import { describe, expect, it } from 'vitest'
import { covers, isCode, levelOf, nextLevel } from './codes'

describe('division codes', () => {
  it.each([
    ['379900000000', 'city'],
    ['379901000000', 'district'],
    ['379901001000', 'town'],
    ['379901001001', 'community'],
    ['379910000000', 'district'],
    ['379901010000', 'town'],
    ['379901001010', 'community'],
  ])('%s is a %s', (code, level) => expect(levelOf(code)).toBe(level))

  it('cover what lies below and nothing beside', () => {
    expect(covers('379901000000', '379901001001')).toBe(true)
    expect(covers('379901001001', '379901001001')).toBe(true)
    expect(covers('379901001001', '379901001000')).toBe(false)
    expect(covers('379901001000', '379901002001')).toBe(false)
  })

  it('end at the community', () => {
    expect(nextLevel('city')).toBe('district')
    expect(nextLevel('community')).toBeNull()
  })

  it('are twelve digits', () => {
    expect(isCode('379901001001')).toBe(true)
    expect(isCode('3799')).toBe(false)
    expect(isCode('37990100100a')).toBe(false)
  })
})
