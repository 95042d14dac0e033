/**
 * A round's own questions as rules: what is asked of whom, what is required, what fits. The service judges by the
 * same rules (`app/questions/answers.py`).
 */
import type { OwnAnswer, Question, RoundForm } from '../offline/types'

export type { OwnAnswer, Question, RoundForm }
export type Value = OwnAnswer['value']

/** Somebody who is there to be asked, or null: the household as a whole. */
export interface Asked {
  id: string
  name: string
}

/** One question as it stands on the screen. */
export interface Line {
  question: Question
  /** whose answer it is; null: the household's */
  person: Asked | null
  value: Value | undefined
}

export function answerOf(answers: readonly OwnAnswer[], question: string, person: string | null): Value | undefined {
  return answers.find((one) => one.question === question && (one.resident_id ?? null) === person)?.value
}

/** Whether a question is asked of somebody, by what has been answered before it. */
export function isShown(question: Question, person: string | null, answers: readonly OwnAnswer[]): boolean {
  const condition = question.shown_when
  if (!condition) return true
  const said = answerOf(answers, condition.question, person) ?? answerOf(answers, condition.question, null)
  return said !== undefined && condition.values.includes(said as string | boolean)
}

/** What is asked at a door: the household's questions, then each person's, with what has been answered. */
export function linesOf(form: Pick<RoundForm, 'questions'>, people: readonly Asked[], answers: readonly OwnAnswer[]): Line[] {
  const lines: Line[] = []
  // what hangs on an answer that is not shown itself is not shown either
  const standing: OwnAnswer[] = []
  for (const person of [null, ...people]) {
    for (const question of form.questions) {
      if ((question.per === 'person') !== (person !== null)) continue
      if (!isShown(question, person?.id ?? null, standing)) continue
      const value = answerOf(answers, question.id, person?.id ?? null)
      lines.push({ question, person, value })
      if (value !== undefined && fits(question, value)) standing.push(answered(question.id, person?.id ?? null, value))
    }
  }
  return lines
}

export function answered(question: string, person: string | null, value: Value): OwnAnswer {
  return { question, ...(person && { resident_id: person }), value }
}

/** The answers with one more, or, where there is no value, without it. */
export function withAnswer(answers: readonly OwnAnswer[], line: Line, value: Value | undefined): OwnAnswer[] {
  const person = line.person?.id ?? null
  const others = answers.filter((one) => one.question !== line.question.id || (one.resident_id ?? null) !== person)
  return value === undefined || value === '' ? others : [...others, answered(line.question.id, person, value)]
}

/** Whether a value is one of the question's answers. */
export function fits(question: Question, value: Value): boolean {
  switch (question.kind) {
    case 'yes_no':
      return typeof value === 'boolean'
    case 'choice':
      return (question.options ?? []).some((option) => option.id === value)
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) && value >= (question.least ?? -Infinity) && value <= (question.most ?? Infinity) && Math.abs(value) < 1e12
    case 'date':
      return typeof value === 'string' && /^(19|20|21)\d\d-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)) && value <= '2100-12-31'
    default:
      return typeof value === 'string'
  }
}

/** A number as somebody types it, full-width digits too; undefined when it is none. */
export function parseNumber(typed: string): number | undefined {
  const plain = typed.normalize('NFKC').trim().replace(/[。，,]/gu, '.')
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : undefined
}

export type Fault = 'missing' | 'value'

/** What is wrong with a line; null when nothing is. */
export function faultOf({ question, value }: Line): Fault | null {
  if (value === undefined) return question.is_required ? 'missing' : null
  return fits(question, value) ? null : 'value'
}

/** The answers that stand on the screen: what is hidden by now was not said. */
export function standing(lines: readonly Line[]): OwnAnswer[] {
  return lines.filter((line) => line.value !== undefined).map((line) => answered(line.question.id, line.person?.id ?? null, line.value!))
}
