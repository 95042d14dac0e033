import { afterEach, beforeEach, expect, it } from 'vitest'
import { language, loadTexts } from '../app/i18n'
import { memberLine, relationWord } from './words'

beforeEach(async () => {
  language.value = 'en'
  await loadTexts()
})
afterEach(() => {
  language.value = 'zh-CN'
})

it('says known relations in English and others as they were written', () => {
  expect(['户主', '配偶', '子', '孙女', '表舅', ''].map(relationWord)).toEqual(['head', 'spouse', 'son', 'granddaughter', '表舅', ''])
  const member = { id: '', name: '', initials: '', sex: 2, birthYear: 1950, relation: '配偶', needsIdCheck: false, check: null } as unknown as Parameters<typeof memberLine>[0]
  expect(memberLine(member, 2026)).toContain('· spouse')
})

it('leaves them as they are in Chinese', async () => {
  language.value = 'zh-CN'
  await loadTexts()
  expect(['户主', '配偶', '表舅'].map(relationWord)).toEqual(['户主', '配偶', '表舅'])
})
