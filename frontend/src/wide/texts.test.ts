import { describe, expect, it } from 'vitest'

type Texts = Record<string, string>
const inZh = import.meta.glob<Texts>(['./texts/zh-CN.ts', './*/texts.zh-CN.ts'], { eager: true, import: 'default' })
const inEn = import.meta.glob<Texts>(['./texts/en.ts', './*/texts.en.ts'], { eager: true, import: 'default' })
const names = (text: string) => new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1]))
const pairs = Object.entries(inZh).map(([path, zh]) => [path, zh, inEn[path.replace('zh-CN', 'en')]] as const)

describe.each(pairs)('%s', (_, zh, en) => {
  it('says the same things in both languages, with the same parameters, and nothing is empty', () => {
    expect(Object.keys(en ?? {}).sort()).toEqual(Object.keys(zh).sort())
    for (const [key, text] of Object.entries(zh)) {
      expect(names(en![key]!), key).toEqual(names(text))
      expect(text.trim() && en![key]!.trim(), key).toBeTruthy()
    }
  })
})

it('no page has words in one language only', () => {
  expect(Object.keys(inEn).map((path) => path.replace('/en', '/zh-CN').replace('.en', '.zh-CN')).sort()).toEqual(Object.keys(inZh).sort())
})
