/** A round as the desk writes it: what the editor holds, and what it sends. */
import { addDays, today } from '../../app/days'
import type { Schema } from '../calls'

export type Question = Schema<'Question-Input'>
export type Detail = Schema<'RoundDetail'>
export type Standard = Schema<'Standard'>
export type Content = Schema<'RoundUpdate'>

export const TAGS = ['living_alone_elder', 'household_in_hardship', 'tenant', 'chronic_illness', 'disabled', 'pregnant', 'infant', 'collective_household'] as const
export const STANDARD: Standard[] = ['temperature', 'symptoms', 'risk_area', 'arrival']
export const KINDS = ['yes_no', 'choice', 'number', 'date', 'text'] as const
const DAYS = 6

export function emptyRound(): Content {
  return {
    title: '', note: '', starts_on: today(), ends_on: addDays(today(), DAYS), rhythm: 'once', target: 'all', tags: [], household_ids: [],
    standard: ['temperature', 'symptoms', 'risk_area'], questions: [], reason: '',
  }
}

/** A round or a template as the editor holds it. */
export function contentOf(found: Pick<Content, 'title' | 'note' | 'rhythm' | 'target' | 'tags' | 'standard'> & { questions?: unknown[] }, dates?: Pick<Detail, 'starts_on' | 'ends_on'>): Content {
  const { title, note, rhythm, target, tags = [], standard = [], questions = [] } = found
  const { starts_on, ends_on } = dates ?? emptyRound()
  // plain data, free of what Vue has wrapped around it
  return JSON.parse(JSON.stringify({ ...emptyRound(), title, note, rhythm, target, tags, standard, questions, starts_on, ends_on })) as Content
}

/** The next free id, so that a question that was asked once is never taken for another. */
export function freeId(taken: readonly string[]): string {
  let number = taken.length + 1
  while (taken.includes(`q${number}`)) number += 1
  return `q${number}`
}

export function newQuestion(taken: readonly string[]): Question {
  return { id: freeId(taken), text: '', kind: 'yes_no', per: 'household', options: [], is_required: false, shown_when: null, least: null, most: null, unit: '', definition: '', owner: '', place: null }
}

/** Questions a question may hang on: yes-or-no questions and choices before it, of the same or a wider subject. */
export function conditionsFor(questions: readonly Question[], at: number): Question[] {
  const own = questions[at]!
  return questions.slice(0, at).filter((one) => (one.kind === 'yes_no' || one.kind === 'choice') && !(one.per === 'person' && own.per === 'household'))
}

/** The questions with one moved up or down; a condition that would then stand before what it hangs on goes. */
export function moved(questions: readonly Question[], at: number, by: -1 | 1): Question[] {
  const to = at + by
  if (to < 0 || to >= questions.length) return [...questions]
  const next = [...questions]
  ;[next[at], next[to]] = [next[to]!, next[at]!]
  return settled(next)
}

/** Conditions that no longer hold are taken away. */
export function settled(questions: readonly Question[]): Question[] {
  return questions.map((question, at) => {
    const other = question.shown_when && conditionsFor(questions, at).find((one) => one.id === question.shown_when!.question)
    return question.shown_when && !other ? { ...question, shown_when: null } : question
  })
}
