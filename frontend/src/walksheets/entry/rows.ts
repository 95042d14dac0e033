/** A typed row of a walk sheet as plain data: keys to outcomes, typed temperatures to persons. */
import type { components } from '../../api/types'
import { TEMPERATURE_RANGE } from '../../app/limits'
import { faultOf, linesOf, parseNumber, standing, type Asked, type Line, type OwnAnswer, type Question } from '../../questions/form'

export type SheetRow = components['schemas']['WalkSheetRow']
export type Entry = components['schemas']['WalkEntry']
export type Outcome = Entry['outcome']
export type Reason = Exclude<NonNullable<Entry['again_reason']>, 'self_report'>

/** What stands on the paper beside the numbers 1 to 7. */
export const OUTCOMES: Outcome[] = ['answered_all', 'answered_part', 'no_answer', 'refused', 'vacant', 'wrong_address', 'unsafe']
export const REASONS: Reason[] = ['correction', 'completing', 'changed', 'ordered', 'requested']

/** What somebody has typed of a row and the server has not taken. `id` is the record's, however often it is sent. */
export interface TypedRow {
  id: string
  outcome: Outcome | ''
  temps: string
  time: string
  note: string
  reason: Reason | ''
  /** answers to the questions on the paper, numbers as they were typed; what was kept before there were any has none */
  own?: OwnAnswer[]
  /** to be sent; until then it is still being typed */
  isDone: boolean
}

export type Wrong = 'need_outcome' | 'bad_temps' | 'too_many' | 'need_reason' | 'need_day' | 'need_answers' | 'bad_answers'

type Persons = NonNullable<Entry['persons']>

/** 36.8, 36。8, ３６．８ or 368 as °C; null when it is no temperature of a person. */
function temperatureOf(token: string): number | null {
  const plain = token.replace(/[。，]/u, '.')
  const number = /^\d{3}$/.test(plain) ? Number(plain) / 10 : /^\d{2}(\.\d{1,2})?$/.test(plain) ? Number(plain) : NaN
  const rounded = Math.round(number * 10) / 10
  return rounded >= TEMPERATURE_RANGE[0] && rounded <= TEMPERATURE_RANGE[1] ? rounded : null
}

function tokensOf(typed: TypedRow): string[] {
  return typed.temps.normalize('NFKC').split(/[\s,、;；]+/u).filter(Boolean)
}

/** What is written behind a temperature, or alone: a symptom, a contact with a risk area. */
const SIGNS = /^(.*?)([症zs疫yc]*)$/iu
const SYMPTOM = /[症zs]/iu
const CONTACT = /[疫yc]/iu

/**
 * One member by what is written in their box; nothing written is well where all answered, and not asked otherwise.
 * `36.9症疫` and `36.9sc` are 36.9 °C, a symptom and a contact; which symptom stands in the note.
 */
function personOf(residentId: string, token: string | undefined, isAll: boolean, feverFrom: number): Persons[number] | null {
  const at = (status: Persons[number]['status'], more: Partial<Persons[number]> = {}): Persons[number] => ({ resident_id: residentId, status, symptoms: [], ...more })
  if (token === undefined) return at(isAll ? 'well' : 'unknown')
  const [, written = '', signs = ''] = SIGNS.exec(token) ?? []
  const isIll = SYMPTOM.test(signs)
  const near = CONTACT.test(signs) ? { risk_area: true } : {}
  // of who is away somebody may know where they have been, not how they are; of who was not asked nobody knows anything
  if (/^(a|外|外出)$/i.test(written)) return isIll ? null : at('away', near)
  if (/^[x×✕]$/i.test(written)) return signs ? null : at('unknown')
  if (/^[-—.]?$/.test(written)) return at(isIll ? 'symptoms' : 'well', near)
  const degrees = temperatureOf(written)
  if (degrees === null) return null
  const isHot = degrees >= feverFrom
  return at(isHot || isIll ? 'symptoms' : 'well', { temperature_c: degrees, symptoms: isHot ? ['fever'] : [], ...near })
}

/** What is written of each member, in their order; null for what cannot be read. Nobody where nobody answered. */
function personsOf(row: SheetRow, typed: TypedRow, feverFrom: number): (Persons[number] | null)[] {
  if (!typed.outcome.startsWith('answered')) return []
  const tokens = tokensOf(typed)
  return row.members.map((member, at) => personOf(member.resident_id, tokens[at], typed.outcome === 'answered_all', feverFrom))
}

/** The paper's questions at a row: the household's, then those of each who was there, by relation. */
export function askedLines(row: SheetRow, typed: TypedRow, questions: readonly Question[], feverFrom: number, nameOf: (at: number) => string): Line[] {
  if (!typed.outcome.startsWith('answered')) return []
  const people = personsOf(row, typed, feverFrom).flatMap((one, at): Asked[] =>
    one && (one.status === 'well' || one.status === 'symptoms') ? [{ id: one.resident_id, name: row.members[at]!.relation || nameOf(at) }] : [],
  )
  const numbers = new Set(questions.filter((one) => one.kind === 'number').map((one) => one.id))
  const own = (typed.own ?? []).map((one) => (numbers.has(one.question) ? { ...one, value: parseNumber(String(one.value)) ?? one.value } : one))
  return linesOf({ questions: [...questions] }, people, own)
}

/** The command of a typed row, or what is wrong with it. `day` is YYYY-MM-DD, `time` what holds where none is written. */
export function entryOf(row: SheetRow, typed: TypedRow, day: string, time: string, feverFrom: number, questions: readonly Question[] = []): Entry | Wrong {
  if (!typed.outcome) return 'need_outcome'
  const hour = typed.time || time
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || !/^\d\d:\d\d$/.test(hour)) return 'need_day'
  if (isSecond(row, typed, day) && !typed.reason) return 'need_reason'
  if (tokensOf(typed).length > row.members.length) return 'too_many'
  const isAnswer = typed.outcome.startsWith('answered')
  const found = personsOf(row, typed, feverFrom)
  if (found.some((one) => one === null)) return 'bad_temps'
  const persons = found as Persons
  const lines = askedLines(row, typed, questions, feverFrom, () => '')
  const fault = lines.map(faultOf).find(Boolean)
  if (fault) return fault === 'missing' ? 'need_answers' : 'bad_answers'
  const isPart = persons.some((one) => one.status === 'unknown')
  return {
    id: typed.id,
    household_id: row.household_id,
    outcome: isAnswer ? (isPart ? 'answered_part' : 'answered_all') : typed.outcome,
    persons,
    answers: standing(lines),
    note: typed.note.trim() || null,
    again_reason: typed.reason || null,
    recorded_at: `${day}T${hour}:00+08:00`,
  }
}

/** All of the household was asked on the day that was chosen: asking again needs a reason. */
export function isSecond(row: SheetRow, typed: TypedRow | undefined, day: string): boolean {
  if (row.outcome !== 'answered_all' || !row.asked_at || !(typed?.outcome ?? 'answered').startsWith('answered')) return false
  return new Date(Date.parse(row.asked_at) + 8 * 3_600_000).toISOString().slice(0, 10) === day
}
