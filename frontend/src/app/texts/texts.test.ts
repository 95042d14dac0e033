import { describe, expect, it } from 'vitest'
import enDoors from './en/doors'
import enEntry from './en/entry'
import enRest from './en/rest'
import zhDoors from './zh-CN/doors'
import zhEntry from './zh-CN/entry'
import zhRest from './zh-CN/rest'

const names = (text: string) => [...text.matchAll(/\{(\w+)/g)].map((match) => match[1])
const packs: [string, Record<string, string>, Record<string, string>][] = [
  ['entry', zhEntry, enEntry],
  ['doors', zhDoors, enDoors],
  ['rest', zhRest, enRest],
]

describe.each(packs)('texts of %s', (_name, zh, en) => {
  it('say the same things in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort())
  })

  it.each(Object.keys(zh))('%s takes the same parameters in both', (key) => {
    const inZh = new Set(names(zh[key]!))
    const inEn = new Set(names(en[key]!))
    // English may name a number again to choose singular or plural, and may leave one out it does not need
    for (const name of inEn) expect(inZh).toContain(name)
    for (const name of inZh) expect(inEn).toContain(name)
  })

  it('are filled in: only what has no word in a language may be empty', () => {
    const empty = [...Object.entries(zh), ...Object.entries(en)].filter(([, text]) => !text.trim()).map(([key]) => key)
    for (const key of empty) expect(['sex.0', 'sex.9', 'relations']).toContain(key)
  })
})

it('keep every sentence in one pack', () => {
  const keys = packs.flatMap(([, zh]) => Object.keys(zh))
  expect(new Set(keys).size).toBe(keys.length)
})
