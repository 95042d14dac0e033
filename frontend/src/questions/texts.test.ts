import { expect, it } from 'vitest'
import en from './texts.en'
import zh from './texts.zh-CN'

it('says the same things in both languages, with the same parameters, and nothing is empty', () => {
  const names = (text: string) => [...text.matchAll(/\{(\w+)/g)].map((match) => match[1])
  expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort())
  for (const [key, text] of Object.entries(zh)) {
    expect(names(en[key as keyof typeof zh]), key).toEqual(names(text))
    expect(text.trim() && en[key as keyof typeof zh].trim(), key).toBeTruthy()
  }
})
