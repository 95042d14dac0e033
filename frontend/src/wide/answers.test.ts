import { beforeAll, expect, test } from 'vitest'
import { language } from '../app/i18n'
import { questionTexts } from '../questions/texts'
import { answerText, questionText } from './answers'

const said = { question: 'q1', text: '近期到过武汉？', label: null }
beforeAll(async () => {
  language.value = 'en'
  await questionTexts.load()
})

test('yes, no and the standard questions are in the language of who reads, the rest as it was written', () => {
  expect(answerText({ ...said, kind: 'yes_no', value: true, label: '是' })).toBe('Yes')
  expect(answerText({ ...said, kind: 'yes_no', value: 'false', label: '否' })).toBe('No')
  expect(answerText({ ...said, question: 'std_came_way', kind: 'choice', value: 'train', label: '火车' })).toBe('Train')
  expect(questionText({ question: 'std_came_on', text: '到达日期' })).not.toBe('到达日期')
  expect(questionText(said)).toBe('近期到过武汉？')
  expect(answerText({ ...said, kind: 'choice', value: 'o1', label: '自驾' })).toBe('自驾')
})

test('what does not fit is shown as it was said, and nothing is nothing', () => {
  expect(answerText({ ...said, kind: 'yes_no', value: '大概' })).toBe('大概')
  expect(answerText({ ...said, kind: 'date', value: '过年前' })).toBe('过年前')
  expect(answerText({ ...said, kind: 'number', value: 0 })).toBe('0')
  expect(answerText({ ...said, kind: 'text', value: null })).toBeNull()
})
