import { describe, expect, it } from 'vitest'
import en from './en'
import zh from './zh-CN'

const names = (text: string) => [...text.matchAll(/\{(\w+)/g)].map((match) => match[1]).sort()

describe('texts', () => {
  it('say the same things in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort())
  })

  it.each(Object.keys(zh))('%s takes the same parameters in both', (key) => {
    const inZh = new Set(names(zh[key as keyof typeof zh]))
    const inEn = new Set(names(en[key as keyof typeof zh]))
    // English may name a number again to choose singular or plural, and may leave one out it does not need
    for (const name of inEn) expect(inZh).toContain(name)
    for (const name of inZh) expect(inEn).toContain(name)
  })

  it('are filled in: only what has no word in a language may be empty', () => {
    const empty = Object.entries({ ...zh, ...en }).filter(([, text]) => !text.trim()).map(([key]) => key)
    expect(empty.sort()).toEqual(['sex.0', 'sex.9'])
  })
})
