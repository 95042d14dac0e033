/**
 * Doors as the phone keeps them: columns of a pull turned into records, and what a record of the outbox makes
 * of a door before the server has confirmed it. The rules mirror `screening_record_door_visits` in SQL.
 */
import type { components } from '../api/types'
import { partOf } from './dayPart'
import type {
  AddResidentPayload,
  CareVisitPayload,
  CommandName,
  ConfirmSelfReportPayload,
  Commands,
  DoorFacts,
  DoorRecord,
  DoorVisitPayload,
  LeaveDoorNoticePayload,
  MarkResidentGonePayload,
  OutboxItem,
  Outcome,
  StateRecord,
  UpdateHouseholdPayload,
  UpdateResidentPayload,
} from './types'

export type AreaPull = components['schemas']['AreaPull']

/** The doors of a pull, each whole. */
export function expand(pull: AreaPull, areaId: string, communityCode: string): DoorRecord[] {
  const { dwellings, households, residents, states, checks, care, reports } = pull.upserts
  const lived = new Set<number>(households.d)
  const records: DoorRecord[] = []
  const door = (at: number) => ({
    dwellingId: dwellings.i[at]!,
    areaId,
    communityCode,
    compound: dwellings.c[at]!,
    building: dwellings.b[at]!,
    stair: dwellings.s[at]!,
    floor: dwellings.f[at] ?? null,
    room: dwellings.r[at]!,
    address: dwellings.a[at]!,
    states: [],
    residents: [],
    care: null,
    head: '',
    initials: '',
    kind: '',
    tags: [],
    phone: '',
    note: '',
    pending: [],
  })
  const homes = households.i.map((id, at): DoorRecord => {
    return {
      ...door(households.d[at]!),
      id,
      vacant: false,
      head: households.h[at]!,
      initials: households.y[at]!,
      kind: households.k[at]!,
      tags: households.t[at]!,
      phone: households.p[at] ?? '',
      note: households.n[at] ?? '',
    }
  })
  const people = residents.i.map((id, at) => {
    const person = {
      id,
      name: residents.n[at]!,
      initials: residents.y[at]!,
      sex: residents.s[at]!,
      birthYear: residents.b[at] ?? null,
      relation: residents.r[at]!,
      needsIdCheck: residents.x[at] === 1,
      checks: [] as DoorFacts['residents'][number]['checks'],
    }
    homes[residents.h[at]!]!.residents.push(person)
    return person
  })
  states.h.forEach((home, at) =>
    homes[home]!.states.push({
      roundId: states.q[at]!,
      outcome: states.o[at] as StateRecord['outcome'],
      attempts: states.c[at]!,
      at: states.t[at]! * 1000,
      by: states.w[at]!,
      askedAt: states.a[at] == null ? null : states.a[at] * 1000,
      askedBy: states.b[at]!,
      missed: states.p[at]!,
      notice: states.n[at]!,
    }),
  )
  checks.r.forEach((person, at) =>
    people[person]!.checks.push({
      roundId: checks.q[at]!,
      status: checks.s[at]!,
      temperature: checks.t[at] ?? null,
      riskArea: checks.k[at] === 1,
    }),
  )
  care.h.forEach((home, at) => {
    const seconds = care.t[at]
    homes[home]!.care = {
      residentId: care.r[at] ?? null,
      condition: care.l[at] ?? null,
      at: seconds == null ? null : seconds * 1000,
      nextOn: care.n[at] ?? null,
    }
  })
  reports.h.forEach((home, at) => {
    // one stands at a time: a newer one replaces it
    homes[home]!.reports = [{ id: reports.i[at]!, roundId: reports.q[at]!, at: reports.t[at]! * 1000, persons: reports.p[at]! }]
  })
  dwellings.i.forEach((id, at) => {
    if (lived.has(at)) return
    records.push({ ...door(at), id, vacant: true })
  })
  return [...homes, ...records]
}

/** Outcomes that say how it is; the others say that one will have to come again. */
const SETTLING: ReadonlySet<string> = new Set(['answered_all', 'answered_part', 'vacant', 'wrong_address'])

/** the server's times come in whole seconds */
const ROUNDING_MS = 1000

/** An answer is whole when everybody who lives there has been answered for. */
function ofWhole(outcome: Outcome, residents: DoorFacts['residents'], roundId: string): Outcome {
  if (outcome !== 'answered_all' && outcome !== 'answered_part') return outcome
  const isWhole = residents.every((resident) => resident.checks.some((check) => check.roundId === roundId))
  return isWhole ? 'answered_all' : 'answered_part'
}

function applyDoorVisit(facts: DoorFacts, visit: DoorVisitPayload, at: number, by: string): DoorFacts {
  const roundId = visit.round_id
  const answers = new Map(visit.persons.map((person) => [person.resident_id, person]))
  const residents = facts.residents.map((resident) => {
    const answer = answers.get(resident.id)
    if (!answer || answer.status === 'unknown') return resident
    const check = { roundId, status: answer.status, temperature: answer.temperature_c ?? null, riskArea: !!answer.risk_area }
    return { ...resident, checks: [...resident.checks.filter((c) => c.roundId !== roundId), check] }
  })
  const before = facts.states.find((state) => state.roundId === roundId)
  const isNewest = !before || at + ROUNDING_MS >= before.at
  const wasSettled = before !== undefined && SETTLING.has(before.outcome)
  // the newest visit that settles something stands; until there is one, the newest of all
  const isDeciding = SETTLING.has(visit.outcome) ? isNewest || !wasSettled : isNewest && !wasSettled
  const outcome = ofWhole(isDeciding ? visit.outcome : before!.outcome, residents, roundId)
  const attempts = (before?.attempts ?? 0) + (visit.outcome === 'no_answer' ? 1 : 0)
  const isAsking = visit.outcome.startsWith('answered') && at + ROUNDING_MS >= (before?.askedAt ?? 0)
  const state: StateRecord = {
    ...(isNewest ? { roundId, at, by } : before),
    outcome,
    attempts,
    askedAt: isAsking ? at : before?.askedAt,
    askedBy: isAsking ? by : before?.askedBy,
    // that one is due the server says, by the rules of the day
    notice: outcome === 'no_answer' ? before?.notice : 0,
    missed: (before?.missed ?? 0) | (visit.outcome === 'no_answer' ? 1 << partOf(at) : 0),
  }
  return { ...facts, residents, states: [...facts.states.filter((s) => s.roundId !== roundId), state] }
}

function applyCareVisit(facts: DoorFacts, visit: CareVisitPayload, at: number): DoorFacts {
  if (facts.care?.at && facts.care.at > at + ROUNDING_MS) return facts
  const care = { residentId: visit.resident_id ?? null, condition: visit.condition, at, nextOn: visit.next_on ?? null }
  return { ...facts, care }
}

function applyConfirmation(facts: DoorFacts, { household_id, round_id, self_report_id }: ConfirmSelfReportPayload, at: number, by: string): DoorFacts {
  const report = facts.reports?.find((one) => one.id === self_report_id)
  if (!report) return facts
  const visited = applyDoorVisit(facts, { household_id, round_id, outcome: 'answered_all', persons: report.persons }, at, by)
  return { ...visited, reports: [] }
}

function applyNotice(facts: DoorFacts, { round_id }: LeaveDoorNoticePayload): DoorFacts {
  return { ...facts, states: facts.states.map((state) => (state.roundId === round_id ? { ...state, notice: 2 } : state)) }
}

const yearOf = (day: string | undefined): number | null => (day ? Number(day.slice(0, 4)) : null)

/** Others live here than before: what was answered is whole, or no longer. */
function withResidents(facts: DoorFacts, residents: DoorFacts['residents']): DoorFacts {
  return { ...facts, residents, states: facts.states.map((state) => ({ ...state, outcome: ofWhole(state.outcome, residents, state.roundId) })) }
}

function applyNewcomer(facts: DoorFacts, person: AddResidentPayload, _at: number, _by: string, own: string): DoorFacts {
  const id = person.resident_id ?? own
  if (facts.residents.some((one) => one.id === id)) return facts
  const { name, sex = 0, relation = '', birth_on } = person
  const residents = [...facts.residents, { id, name, initials: '', sex, birthYear: yearOf(birth_on), relation, needsIdCheck: false, checks: [] }]
  return { ...withResidents(facts, residents), head: facts.head || name }
}

function applyGone(facts: DoorFacts, { resident_id }: MarkResidentGonePayload): DoorFacts {
  const gone = facts.residents.find((one) => one.id === resident_id)
  const residents = facts.residents.filter((one) => one !== gone)
  return { ...withResidents(facts, residents), head: (facts.head === gone?.name && residents[0]?.name) || facts.head }
}

function applyPersonChanges(facts: DoorFacts, { resident_id, changes }: UpdateResidentPayload): DoorFacts {
  const before = facts.residents.find((one) => one.id === resident_id)
  if (!before) return facts
  const { name = before.name, sex = before.sex, relation = before.relation, birth_on } = changes
  const after = { ...before, name, sex, relation, birthYear: birth_on ? yearOf(birth_on) : before.birthYear }
  const residents = facts.residents.map((one) => (one === before ? after : one))
  return { ...facts, residents, head: facts.head === before.name ? name : facts.head }
}

function applyHouseholdChanges(facts: DoorFacts, { changes }: UpdateHouseholdPayload): DoorFacts {
  return { ...facts, ...changes }
}

type Applier<N extends CommandName> = (facts: DoorFacts, payload: Commands[N], at: number, by: string, id: string) => DoorFacts

const appliers: { [N in CommandName]: Applier<N> } = {
  'screening.record_door_visit': applyDoorVisit,
  'screening.leave_door_notice': applyNotice,
  'screening.confirm_self_report': applyConfirmation,
  'care.record_visit': applyCareVisit,
  // the record was made with all of it
  'people.add_household': (facts) => facts,
  'people.add_resident': applyNewcomer,
  'people.mark_resident_gone': applyGone,
  'people.update_household': applyHouseholdChanges,
  'people.update_resident': applyPersonChanges,
}

/** What one record makes of a door. */
export function apply(facts: DoorFacts, item: OutboxItem, by: string): DoorFacts {
  const applier = appliers[item.name] as (f: DoorFacts, p: unknown, at: number, by: string, id: string) => DoorFacts
  return applier(facts, item.payload, Date.parse(item.recordedAt), by, item.id)
}

/** What the server has said of a door. */
function factsOf({ states, residents, care, head, tags, phone, note, reports, truth }: DoorRecord): DoorFacts {
  return { states, residents, care, head, tags, phone, note, reports, ...truth }
}

/** The record with `items` pending on top of the server's facts; without any it is the facts alone. */
export function withPending(record: DoorRecord, items: readonly OutboxItem[], by: string): DoorRecord {
  const truth = factsOf(record)
  const { truth: _, ...plain } = record
  if (items.length === 0) return { ...plain, ...truth, pending: [] }
  const facts = items.reduce((sum, item) => apply(sum, item, by), truth)
  return { ...plain, ...facts, truth, pending: items.map((item) => item.id) }
}

/** The record once the server has confirmed `item`, which is part of the facts now; what waits is drawn on top anew. */
export function confirmed(record: DoorRecord, item: OutboxItem, by: string): DoorRecord {
  const { isMade: _, ...known } = record
  return withPending({ ...known, truth: apply(factsOf(record), item, by) }, [], by)
}
