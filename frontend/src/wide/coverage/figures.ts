/** What the overview counts with. A figure that nobody knows is null and stays null. */
import type { Tone } from '../../ui/tone'
import type { Schema } from '../calls'
import { t } from './texts'

export type Row = Schema<'CoverageRow'>
export type Outcome = keyof NonNullable<Row['outcomes']>
export type Gap = Schema<'Gap'>

/** Outcomes of doors that are not done, worst first. */
const UNDONE: readonly Outcome[] = ['unsafe', 'refused', 'wrong_address', 'no_answer', 'answered_part']

/** Households done of all, 0 to 1; null when one of both is unknown, and for a place without households. */
export function shareDone(row: Row): number | null {
  return row.households_done === null || !row.households ? null : row.households_done / row.households
}

/** Why households are missing, in words with their numbers: `未敲门 12 · 拒访 1`. */
export function whyMissing(row: Row): string {
  if (!row.outcomes || row.households_missing === null) return ''
  const outcomes = row.outcomes
  const knocked = UNDONE.reduce((sum, outcome) => sum + outcomes[outcome], 0)
  const parts = UNDONE.filter((outcome) => outcomes[outcome]).map((outcome) => `${t(`state.${outcome}`)} ${outcomes[outcome]}`)
  const notVisited = row.households_missing - knocked
  if (notVisited > 0) parts.push(`${t('table.not_visited')} ${notVisited}`)
  return parts.join(' · ')
}

/** People registered fewer than official sources say; null when it cannot be said of the same communities. */
export function fewerThanExpected(row: Row): number | null {
  if (!row.expected || row.expected.persons === null || row.persons === null) return null
  // sums over different communities are not compared
  if (row.communities === null || row.communities_unknown || row.expected.communities !== row.communities) return null
  return Math.max(0, row.expected.persons - row.persons)
}

const REASON_TONES: Partial<Record<string, Tone>> = {
  refused: 'red',
  unsafe: 'red',
  no_registry: 'red',
  wrong_address: 'amber',
  no_answer: 'amber',
  answered_part: 'amber',
  person_unanswered: 'amber',
  unfinished: 'amber',
  answered_all: 'green',
  vacant: 'green',
}

/** The colour of a reason or an outcome; its word stands with it. */
export function toneOf(reason: string | null): Tone {
  return (reason && REASON_TONES[reason]) || 'grey'
}
