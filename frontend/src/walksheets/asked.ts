/** A round's own questions on paper: once in full, and behind each door's row the room to answer them, cut into lines. */
import { relationWord } from '../doors/words'
import type { Question } from '../questions/form'
import { optionsOf, t as asked, wordsOf } from '../questions/texts'
import { t } from './texts'

/** One line of a row's answers: who it is of, or nothing where it goes on; then questions and boxes, as they follow. */
export interface PaperLine {
  who: string
  parts: string[]
}

/** A question as it is read once, before the doors. */
export interface PaperQuestion {
  number: number
  text: string
  /** who, when, how it is answered, what counts */
  details: string[]
  /** mm */
  height: number
}

/** mm of a character at the size of the answers (8 pt): Chinese and boxes, the others */
const WIDE_MM = 2.85
const NARROW_MM = 1.6
/** mm that a line of answers has, and of these who it is of */
const LINE_MM = 184
const WHO_MM = 20
/** questions in full: mm of a page, of a line, between two; how much larger than the answers they are */
const PAGE_MM = 231
const FULL_LINE_MM = 4.6
const GAP_MM = 2
const FULL_SIZE = 1.25
/** characters of a question that stand at every door; all of it stands before them */
const SHORT = 18
const SHORT_OPTION = 14

export function widthOf(text: string): number {
  return [...text].reduce((sum, one) => sum + (one > '\u2000' ? WIDE_MM : NARROW_MM), 0)
}

const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)
const numberOf = (questions: readonly Question[], id: string): number => questions.findIndex((one) => one.id === id) + 1

/** When a question is asked, in words; "" where it always is. */
function conditionOf(question: Question, questions: readonly Question[]): string {
  const { shown_when: condition } = question
  const other = questions.find((one) => one.id === condition?.question)
  if (!condition || !other) return ''
  const said = optionsOf(other).filter(({ value }) => condition.values.map(String).includes(value))
  return t('paper.if', { n: numberOf(questions, other.id), answer: said.map((one) => one.label).join(' / ') })
}

/** The room for an answer: a box for each that can be ticked, a line for what is written. */
function roomOf(question: Question): string[] {
  switch (question.kind) {
    case 'yes_no':
    case 'choice':
      return optionsOf(question).map(({ label }) => `□${short(label, SHORT_OPTION)}`)
    case 'number':
      return [`______${question.unit ?? ''}`]
    case 'date':
      return [t('paper.day')]
    default:
      return ['_'.repeat(36)]
  }
}

/** Parts one after the other in lines that are no wider than the paper. */
function inLines(who: string, parts: string[]): PaperLine[] {
  const lines: PaperLine[] = []
  let left = 0
  for (const part of parts) {
    const width = widthOf(part) + NARROW_MM
    if (width > left) {
      lines.push({ who: lines.length ? '' : who, parts: [] })
      left = LINE_MM - WHO_MM
    }
    lines.at(-1)!.parts.push(part)
    left -= width
  }
  return lines
}

/** A household's room to answer: what is asked of all of it, then what is asked of each member, by relation. */
export function answerLines(questions: readonly Question[], members: readonly string[]): PaperLine[] {
  const partsOf = (per: 'household' | 'person'): string[] =>
    questions.filter((one) => one.per === per).flatMap((one) => {
      const condition = conditionOf(one, questions)
      return [`${numberOf(questions, one.id)}. ${short(wordsOf(one), SHORT)}${one.is_required ? '*' : ''}${short(condition, 30)}`, ...roomOf(one)]
    })
  const ofEach = partsOf('person')
  return [
    ...inLines(t('paper.household'), partsOf('household')),
    ...(ofEach.length ? members.flatMap((relation, at) => inLines(relationWord(relation) || t('paper.member', { n: at + 1 }), ofEach)) : []),
  ]
}

/** The questions in full, as they are read once, by page. */
export function questionPages(questions: readonly Question[]): PaperQuestion[][] {
  const pages: PaperQuestion[][] = []
  let left = 0
  for (const one of inFull(questions)) {
    if (one.height > left) {
      pages.push([])
      left = PAGE_MM
    }
    pages.at(-1)!.push(one)
    left -= one.height
  }
  return pages
}

function inFull(questions: readonly Question[]): PaperQuestion[] {
  return questions.map((one, at) => {
    const { least, most } = one
    const bounds = least == null && most == null ? '' : asked('bounds', { least: least ?? '…', most: most ?? '…' })
    const options = one.kind === 'choice' ? optionsOf(one).map(({ label }) => `□${label}`).join(' ') : ''
    const details = [
      t(one.per === 'person' ? 'paper.each' : 'paper.once'),
      one.is_required && `* ${asked('required')}`,
      conditionOf(one, questions).trim(),
      options,
      bounds,
      one.definition && asked('definition', { text: one.definition }),
    ]
    const said = { number: at + 1, text: wordsOf(one), details: details.filter((detail): detail is string => !!detail) }
    const lines = [said.text, said.details.join(' · ')].reduce((sum, text) => sum + Math.ceil((widthOf(text) * FULL_SIZE) / LINE_MM), 0)
    return { ...said, height: lines * FULL_LINE_MM + GAP_MM }
  })
}
