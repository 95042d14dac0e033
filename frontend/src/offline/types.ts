/** What the engine keeps and says. Plain data; no framework, no screen. */
import type { components } from '../api/types'

export type Outcome = 'answered_all' | 'answered_part' | 'no_answer' | 'refused' | 'vacant' | 'wrong_address' | 'unsafe'
export type PersonStatus = 'well' | 'symptoms' | 'away' | 'unknown'

/** A round's own questions and the doors it is for, as the server gives them. */
export type RoundForm = components['schemas']['SyncRound']
export type FileKey = components['schemas']['FileKey']
export type Question = RoundForm['questions'][number]

/** An answer to an own question; without `resident_id` it is the household's. */
export interface OwnAnswer {
  question: string
  resident_id?: string
  value: boolean | number | string
}

/** Payload of `screening.record_door_visit` (docs/wire.md). */
export interface DoorVisitPayload {
  household_id: string
  round_id: string
  outcome: Outcome
  persons: {
    resident_id: string
    status: PersonStatus
    temperature_c?: number | null
    symptoms?: string[]
    risk_area?: boolean | null
  }[]
  note?: string | null
  /** why all of a household is asked a second time on one day */
  again_reason?: AgainReason | null
  /** the version of the round's questions that was on screen */
  form_version?: number
  answers?: OwnAnswer[]
}

/** Payload of `screening.leave_door_notice`. */
export interface LeaveDoorNoticePayload {
  household_id: string
  round_id: string
}

/** Payload of `screening.confirm_self_report`. */
export interface ConfirmSelfReportPayload {
  household_id: string
  round_id: string
  self_report_id: string
  form_version?: number
  answers?: OwnAnswer[]
}

/** What a household said of itself by its code; it counts for nothing until it is confirmed here. */
export interface SelfReport {
  id: string
  roundId: string
  /** ms since 1970 */
  at: number
  persons: DoorVisitPayload['persons']
}

export type AgainReason = 'changed' | 'correction' | 'completing' | 'ordered' | 'requested'

/** Payload of `care.record_visit` (docs/wire.md). */
export interface CareVisitPayload {
  household_id: string
  resident_id?: string | null
  condition: 'well' | 'needs_attention' | 'not_reached'
  needs: string[]
  note?: string | null
  next_on?: string | null
}

/** Facts of a person that may be corrected at the door; what is not named stays, an empty number is taken away. */
export interface ResidentChanges {
  name?: string
  sex?: number
  birth_on?: string
  relation?: string
  phone?: string
}

/** Facts of a household that may be corrected at the door; what is not named stays, an empty one is taken away. */
export interface HouseholdChanges {
  phone?: string
  tags?: string[]
  note?: string
}

/** Payload of `people.update_resident`; `base_version`: the area's version that was on screen. */
export interface UpdateResidentPayload {
  household_id: string
  resident_id: string
  base_version: number
  changes: ResidentChanges
}

/** Payload of `people.update_household`. */
export interface UpdateHouseholdPayload {
  household_id: string
  base_version: number
  changes: HouseholdChanges
}

/** Payload of `people.add_resident`. The person's id is made here, so that a second try is the same person; older records have none, and their own id is the person's. */
export interface AddResidentPayload {
  household_id: string
  resident_id?: string
  name: string
  sex?: number
  birth_on?: string
  relation?: string
  phone?: string
}

/** Why somebody no longer lives at a door. */
export type GoneReason = 'moved_away' | 'died' | 'not_living_here'

/** Payload of `people.mark_resident_gone`. */
export interface MarkResidentGonePayload {
  household_id: string
  resident_id: string
  reason: GoneReason
  on?: string
}

/** Payload of `people.add_household`: behind a known door (`dwelling_id`) or a new one by its parts; all ids are made here. */
export interface AddHouseholdPayload {
  household_id: string
  responsibility_area_id: string
  dwelling_id?: string
  door?: { compound: string; building: string; stair: string; floor: number | null; room: string }
  phone?: string
  note?: string
  residents: { id: string; name: string; sex?: number; relation?: string; birth_on?: string; phone?: string }[]
}

/** Every command a phone can send; `app/sync/registry.py` lists the same. */
export interface Commands {
  'screening.record_door_visit': DoorVisitPayload
  'screening.leave_door_notice': LeaveDoorNoticePayload
  'screening.confirm_self_report': ConfirmSelfReportPayload
  'care.record_visit': CareVisitPayload
  'people.add_household': AddHouseholdPayload
  'people.add_resident': AddResidentPayload
  'people.mark_resident_gone': MarkResidentGonePayload
  'people.update_household': UpdateHouseholdPayload
  'people.update_resident': UpdateResidentPayload
}
export type CommandName = keyof Commands

/** One record of the outbox. `sending` is as good as waiting after a restart. */
export interface OutboxItem<N extends CommandName = CommandName> {
  seq: number
  id: string
  name: N
  payload: Commands[N]
  communityCode: string
  areaId: string
  epoch: number
  /** ISO 8601, by the phone's clock less what it was known to be wrong by */
  recordedAt: string
  /** ms by which the clock was known to be wrong (ahead: more than 0) when it was by more than a quarter of an hour */
  clockErrorMs?: number
  /** ms; not sent before, so that it can be undone */
  holdUntil: number
  state: 'waiting' | 'sending' | 'rejected'
  attempts: number
  lastProblem: { code: string; detail: string | null; status: number } | null
  /** address and head, for lists when the door is no longer here */
  label: string
}

/** What the server answered for a record that has left the outbox. */
export interface Receipt {
  id: string
  name: CommandName
  householdId: string
  label: string
  /** the outcome or condition that was recorded; older receipts lack it */
  what?: string
  status: 'accepted' | 'flagged'
  code: string | null
  recordedAt: string
  confirmedAt: number
}

export interface StateRecord {
  roundId: string
  outcome: Outcome
  attempts: number
  /** ms since 1970 */
  at: number
  by: string
  /** when people here were last asked (ms), and by whom; an older app kept neither */
  askedAt?: number | null
  askedBy?: string
  /** the parts of the day in which nobody opened: bit 0 morning, 1 afternoon, 2 evening */
  missed?: number
  /** a door notice: 0 none, 1 due, 2 left */
  notice?: number
}

export interface CheckRecord {
  roundId: string
  status: string
  temperature: number | null
  /** in a risk area, or with somebody from there; an older app did not keep it */
  riskArea?: boolean
}

export interface ResidentRecord {
  id: string
  name: string
  initials: string
  sex: number
  birthYear: number | null
  relation: string
  needsIdCheck: boolean
  checks: CheckRecord[]
}

export interface CareRecord {
  residentId: string | null
  condition: string | null
  /** ms since 1970, null when nobody visited yet */
  at: number | null
  /** YYYY-MM-DD */
  nextOn: string | null
}

/** What visits and corrections change on a door. */
export interface DoorFacts {
  states: StateRecord[]
  residents: ResidentRecord[]
  care: CareRecord | null
  head: string
  tags: string[]
  phone: string
  note: string
  /** an older app kept none */
  reports?: SelfReport[]
}

/** One household with its door, or a vacant door (`vacant`, its id is the dwelling's). */
export interface DoorRecord extends DoorFacts {
  id: string
  vacant: boolean
  dwellingId: string
  areaId: string
  communityCode: string
  compound: string
  building: string
  stair: string
  floor: number | null
  room: string
  address: string
  initials: string
  kind: string
  /** found by this phone: the server has not taken it yet */
  isMade?: true
  /** ids of records about this door that the server has not confirmed */
  pending: string[]
  /** the server's facts, kept beside while something is pending on top; an older app kept fewer */
  truth?: Partial<DoorFacts>
}

export interface RoundRecord {
  id: string
  title: string
  startsOn: string
  endsOn: string
  /** a day of a daily round: worked on that day alone */
  isDay?: boolean
  /** what there is to know beyond its title; rounds of standard questions at all doors have none */
  form?: RoundForm
}

/** A responsibility area on this phone. `version` -1: not loaded yet. */
export interface AreaRecord {
  id: string
  communityCode: string
  communityName: string
  name: string
  epoch: number
  version: number
  householdCount: number
  rounds: RoundRecord[]
  /** what is followed up at once from which day on, oldest first; an older app did not keep it */
  findings?: components['schemas']['FindingRules'][]
}

export interface Grant {
  role: string
  division_code: string
  name: string
  level: string
}

/** Who is signed in on this phone. */
export interface Session {
  accountId: string
  name: string
  login: string
  mustChangePassword: boolean
  grants: Grant[]
}

export interface Status {
  /** the outcome of the last request, not what the system believes */
  online: boolean
  syncing: boolean
  waiting: number
  needsYou: number
  /** photos and the like on their way beside the records; part of `waiting` */
  uploads: number
  lastContactAt: number | null
  /** the server's own number; null while it has not said one today */
  confirmedToday: number | null
  signInNeeded: boolean
  /** the code with which the server refuses this account's traffic as a whole; what waits is kept */
  refusal: string | null
  /** a doing that takes long: loading an area's doors */
  loading: { area: string; done: number; total: number } | null
  /** why the phone could not keep something, when it could not; `blocked`: another tab holds an older version of it */
  storageProblem: 'full' | 'broken' | 'blocked' | null
  /** ms by which this phone's clock is ahead of the server's (behind: less than 0); 0 up to a quarter of an hour */
  clockErrorMs: number
}

/** As long as nothing has happened. */
export const INITIAL_STATUS: Status = {
  online: true,
  syncing: false,
  waiting: 0,
  needsYou: 0,
  uploads: 0,
  lastContactAt: null,
  confirmedToday: null,
  signInNeeded: false,
  refusal: null,
  loading: null,
  storageProblem: null,
  clockErrorMs: 0,
}

export interface StorageState {
  persisted: boolean
  usage: number
  quota: number
}

/** The server said no, as RFC 9457. */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly errors: { field: string; code: string; message: string }[] = [],
    /** seconds the server asked to wait */
    readonly retryAfter: number | null = null,
  ) {
    super(title)
    this.name = 'ProblemError'
  }
}

/** The server could not be reached, or its answer was lost. */
export class OfflineError extends Error {
  constructor() {
    super('offline')
    this.name = 'OfflineError'
  }
}

/** The phone could not keep a record: storage is full or gone. Nothing was half written. */
export class StorageError extends Error {
  constructor(readonly reason: 'full' | 'broken') {
    super(reason)
    this.name = 'StorageError'
  }
}

/** The door is not on this phone: its area has gone to somebody else meanwhile. */
export class DoorGoneError extends Error {
  constructor(readonly householdId: string) {
    super('door_gone')
    this.name = 'DoorGoneError'
  }
}
