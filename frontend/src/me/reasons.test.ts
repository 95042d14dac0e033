import { beforeAll, expect, test, vi } from 'vitest'
import { language, loadTexts } from '../app/i18n'
import { reasonOf } from './reasons'

beforeAll(async () => {
  language.value = 'zh-CN'
  await loadTexts()
})

test.each(['answer_missing', 'answer_unexpected', 'answer_value', 'form_unknown', 'clock_skew'])('%s is said in a sentence, not as a code', async (code) => {
  await vi.waitFor(() => expect(reasonOf(code)).toMatch(/[\u4e00-\u9fff].*。$/))
  expect(reasonOf(code)).not.toContain(code)
})
