/** Answers to a round's own questions in the reader's language: yes, no, the standard questions and days; else as its owner wrote them. */
import { formatDay } from '../app/days'
import { t, wordsOf } from '../questions/texts'

interface Said {
  question: string
  text: string
  kind: string | null
  /** `true` and `false` also as words, as counts have them */
  value: boolean | number | string | null
  label: string | null
}

export function questionText(one: Pick<Said, 'question' | 'text'>): string {
  return wordsOf({ id: one.question, text: one.text })
}

/** Null where nothing was said, or not to whom is reading. */
export function answerText({ question, kind, value, label }: Said): string | null {
  if (value === null || value === '') return null
  if (kind === 'yes_no' && ['true', 'false'].includes(String(value))) return t(String(value) === 'true' ? 'yes' : 'no')
  if (kind === 'choice' && question === 'std_came_way' && label) return t(`way.${value as 'car'}`)
  if (kind === 'date' && /^\d{4}-\d\d-\d\d$/.test(String(value))) return formatDay(String(value))
  return label || String(value)
}
