/**
 * The questions at the door, as data: what was said of each member, what that makes of the visit. Members
 * nobody touched are well: the big button says so before it is pressed.
 */
import { isFinding, TEMPERATURE_RANGE, type FindingRules } from '../app/limits'
import type { Outcome } from '../doors/queries'
import type { OwnAnswer } from '../offline/types'

export type PersonStatus = 'well' | 'symptoms' | 'away' | 'unknown'
export type Symptom = 'fever' | 'cough' | 'fatigue' | 'breathless' | 'sore_throat' | 'diarrhea' | 'other'

export const STATUSES: PersonStatus[] = ['well', 'symptoms', 'away', 'unknown']
export const SYMPTOMS: Symptom[] = ['fever', 'cough', 'fatigue', 'breathless', 'sore_throat', 'diarrhea', 'other']
export const TEMPERATURES = [36.2, 36.5, 36.8, 37.0, 37.3, 38.0]

export interface PersonAnswer {
  status: PersonStatus
  temperature: number | null
  symptoms: Symptom[]
  riskArea: boolean
}

export interface DoorDraft {
  /** answers by resident id; who is missing here is well */
  answers: Record<string, PersonAnswer>
  note: string
  /** answers to the round's own questions; a draft of before has none */
  own?: OwnAnswer[]
  /** how many photos wait beside it; an older draft has none */
  photos?: number
}

export interface PersonPayload {
  resident_id: string
  status: PersonStatus
  temperature_c?: number
  symptoms?: Symptom[]
  risk_area?: boolean
}

/** How many of these the committee will follow up at once. */
export function countFindings(persons: PersonPayload[], rules: FindingRules): number {
  return persons.filter((one) => isFinding(rules, one.status, one.temperature_c, one.risk_area)).length
}

export interface VisitSummary {
  outcome: Outcome
  persons: PersonPayload[]
  counts: Record<PersonStatus, number>
}

export function emptyDraft(): DoorDraft {
  return { answers: {}, note: '' }
}

export function wellAnswer(): PersonAnswer {
  return { status: 'well', temperature: null, symptoms: [], riskArea: false }
}

/** Nothing has been said that "all well" would not say. */
export function isUntouched(draft: DoorDraft): boolean {
  return !Object.values(draft.answers).some(
    (answer) => answer.status !== 'well' || answer.temperature !== null || answer.symptoms.length > 0 || answer.riskArea,
  )
}

/** The name under which a door's draft is kept. */
export function keyOf(householdId: string): string {
  return `door:${householdId}`
}

/** Nothing has been said at all. */
export function isSilent(draft: DoorDraft): boolean {
  return isUntouched(draft) && !Object.keys(draft.answers).length && !draft.note.trim() && !draft.own?.length && !draft.photos
}

/** Choose a status; what no longer fits goes: nobody away has a temperature, nobody well has symptoms. */
export function withStatus(answer: PersonAnswer, status: PersonStatus, feverFrom: number): PersonAnswer {
  const isHere = status === 'well' || status === 'symptoms'
  const hasFever = answer.temperature !== null && answer.temperature >= feverFrom
  return {
    ...answer,
    status,
    temperature: isHere && !(status === 'well' && hasFever) ? answer.temperature : null,
    symptoms: status === 'symptoms' ? answer.symptoms : [],
  }
}

/** Note a temperature: a fever is a symptom, whatever was chosen before. */
export function withTemperature(answer: PersonAnswer, temperature: number | null, feverFrom: number): PersonAnswer {
  if (temperature !== null && temperature >= feverFrom) {
    const symptoms: Symptom[] = answer.symptoms.includes('fever') ? answer.symptoms : ['fever', ...answer.symptoms]
    return { ...answer, temperature, status: 'symptoms', symptoms }
  }
  const status = answer.status === 'symptoms' ? 'symptoms' : 'well'
  return { ...answer, temperature, status, symptoms: answer.symptoms.filter((symptom) => symptom !== 'fever') }
}

/** Choose symptoms; having one is not being well, and taking the last one back is. */
export function withSymptoms(answer: PersonAnswer, symptoms: Symptom[]): PersonAnswer {
  return { ...answer, symptoms, status: symptoms.length ? 'symptoms' : answer.status }
}

/**
 * Read a typed temperature: 36.8, 36。8, ３６．８ or 368.
 * @returns null when it is no temperature between 34 and 43
 */
export function parseTemperature(typed: string): number | null {
  const plain = typed.normalize('NFKC').trim().replace(/[。,，]/u, '.')
  const number = /^\d{3}$/.test(plain) ? Number(plain) / 10 : /^\d{2}(\.\d{1,2})?$/.test(plain) ? Number(plain) : NaN
  const rounded = Math.round(number * 10) / 10
  return rounded >= TEMPERATURE_RANGE[0] && rounded <= TEMPERATURE_RANGE[1] ? rounded : null
}

/** What the visit will say: everybody answered for, or somebody left to be asked. */
export function summarise(residentIds: string[], draft: DoorDraft): VisitSummary {
  const counts: Record<PersonStatus, number> = { well: 0, symptoms: 0, away: 0, unknown: 0 }
  const persons = residentIds.map((id): PersonPayload => {
    const answer = draft.answers[id] ?? wellAnswer()
    counts[answer.status] += 1
    return {
      resident_id: id,
      status: answer.status,
      ...(answer.temperature !== null && { temperature_c: answer.temperature }),
      ...(answer.symptoms.length > 0 && { symptoms: answer.symptoms }),
      ...(answer.riskArea && { risk_area: true }),
    }
  })
  return { outcome: counts.unknown > 0 ? 'answered_part' : 'answered_all', persons, counts }
}
