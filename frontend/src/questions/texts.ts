/** Words around a round's own questions, and those of the standard ones among them. */
import { lazyTexts } from '../app/i18n'
import type { Question } from './form'

export const questionTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = questionTexts

type Standard = 'std_came' | 'std_came_way' | 'std_came_on' | 'std_came_from'
const isStandard = (id: string): id is Standard => id.startsWith('std_came')

/** A question in words: as its owner wrote it, the standard ones in the reader's language. */
export function wordsOf(question: Pick<Question, 'id' | 'text'>): string {
  return isStandard(question.id) ? t(question.id) : question.text
}

/** What a question may be answered with by a tap. */
export function optionsOf(question: Question): { value: string; label: string; testid: string }[] {
  const options =
    question.kind === 'yes_no' ? [['true', t('yes')], ['false', t('no')]] : (question.options ?? []).map(({ id, text }) => [id, isStandard(question.id) ? t(`way.${id}` as 'way.car') : text])
  return options.map(([value, label]) => ({ value: value!, label: label!, testid: `answer-${question.id}-${value}` }))
}
