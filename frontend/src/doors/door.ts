/**
 * A door as the screens think of it: one household, where it lives, who lives there, and how it stands in the
 * round on screen. Made by `queries.ts` from the phone's database; everything here is plain data and rules.
 */
import { HOUR_MS, partOf, PARTS } from '../offline/dayPart'
import type { CareRecord, CheckRecord, DoorRecord, Outcome, ResidentRecord, SelfReport, StateRecord } from '../offline/types'
import type { Tone } from '../ui/tone'

export { partOf }
export type { Outcome }
/** `outside`: the round is not for this door. */
export type DoorState = 'todo' | 'outside' | Outcome

export interface Place {
  compound: string
  building: string
  stair: string
  floor: number | null
  room: string
  address: string
}

export interface Member extends Omit<ResidentRecord, 'checks'> {
  /** this round's answer, if there is one */
  check: CheckRecord | null
}

export interface Door extends Place {
  /** the household's id */
  id: string
  dwellingId: string
  areaId: string
  communityCode: string
  head: string
  initials: string
  tags: string[]
  phone: string
  note: string
  members: Member[]
  state: DoorState
  /** how it stands in each round */
  states: StateRecord[]
  attempts: number
  /** when it was last knocked at in this round, ms */
  at: number | null
  by: string
  /** when people here were last asked in this round, ms, and by whom */
  askedAt: number | null
  askedBy: string
  /** the parts of the day in which nobody opened, a bit each */
  missed: number
  /** a door notice: 0 none, 1 due, 2 left */
  notice: number
  /** what they said of themselves by their code, not confirmed yet */
  report: SelfReport | null
  /** something recorded here has not been confirmed yet */
  isWaiting: boolean
  care: CareRecord | null
}

/** A household's record as it stands in one round (or in none). */
export function doorInRound(record: DoorRecord, roundId: string | null, targets?: ReadonlySet<string> | null): Door {
  const state = record.states.find((one) => one.roundId === roundId)
  let members: Member[] | undefined
  return {
    ...record,
    // a list of a thousand asks this of the ten on the screen
    get members() {
      return (members ??= record.residents.map(({ checks, ...person }) => ({ ...person, check: checks.find((one) => one.roundId === roundId) ?? null })))
    },
    state: targets && !targets.has(record.id) ? 'outside' : (state?.outcome ?? 'todo'),
    attempts: state?.attempts ?? 0,
    at: state?.at ?? null,
    by: state?.by ?? '',
    askedAt: state?.askedAt ?? null,
    askedBy: state?.askedBy ?? '',
    missed: state?.missed ?? 0,
    notice: state?.notice ?? 0,
    report: record.reports?.find((one) => one.roundId === roundId) ?? null,
    isWaiting: record.pending.length > 0,
  }
}

/** A door with nobody registered behind it. */
export interface VacantDoor extends Place {
  dwellingId: string
  areaId: string
}

/** Wait at least this long before a door where somebody is missing is proposed again. */
export const RETRY_AFTER_MS = 2 * HOUR_MS

/** The parts of the day in which this door was tried, by what is known of it. */
export function partsTried({ at, missed }: Tried): number {
  return missed | (1 << partOf(at ?? 0))
}

/** When nobody opened: the next instant from `now` on, some hours after the last try, in a part of the day not tried yet; once all are, in another than the last. */
export function tryAgainAt(door: Tried, now: number): number {
  const at = door.at ?? 0
  const tried = partsTried(door)
  const avoided = tried === 7 ? 1 << partOf(at) : tried
  let when = Math.max(now, at + RETRY_AFTER_MS)
  while (avoided & (1 << partOf(when))) {
    const midnight = Math.floor((when / HOUR_MS + 8) / 24) * 24 - 8
    when = (midnight + (PARTS[partOf(when) + 1] ?? 24)) * HOUR_MS
  }
  return when
}

type Tried = Pick<Door, 'at' | 'missed'>

const DONE: ReadonlySet<DoorState> = new Set(['answered_all', 'vacant', 'outside'])
const MISSED: ReadonlySet<DoorState> = new Set(['no_answer', 'refused', 'answered_part', 'unsafe', 'wrong_address'])

/** Nothing more to ask in this round: everybody answered for, nobody lives here, or it is not for this door. */
export function isDone(door: Pick<Door, 'state'>): boolean {
  return DONE.has(door.state)
}

/** Knocked at, and still somebody is missing. */
export function isMissed(door: Pick<Door, 'state'>): boolean {
  return MISSED.has(door.state)
}

/**
 * To be knocked at now: never yet, nobody opened in another part of the day, or somebody was missing some hours ago.
 * Refusals and wrong addresses wait for a person's decision.
 */
export function isDue(door: Pick<Door, 'state' | 'at' | 'missed'>, now: number): boolean {
  if (door.state === 'todo') return true
  if (door.state === 'no_answer') return tryAgainAt(door, now) <= now
  return door.state === 'answered_part' && now - (door.at ?? 0) >= RETRY_AFTER_MS
}

/** Order of the list: never knocked at first, then the ones to try again, then waiting for another hour, then done. */
export function dueRank(door: Pick<Door, 'state' | 'at' | 'missed'>, now: number): number {
  if (door.state === 'todo') return 0
  if (isDue(door, now)) return 1
  return isDone(door) ? 3 : 2
}

/** The rank of each door as it is when it is first asked for: a list does not move under the thumb while one works. */
export function rankOnce(now: number): (door: Door) => number {
  const ranks = new Map<string, number>()
  return (door) => {
    const rank = ranks.get(door.id) ?? dueRank(door, now)
    ranks.set(door.id, rank)
    return rank
  }
}

/** The colour of a state; its word or sign always stands with it. */
export function toneOf(state: DoorState): Tone {
  switch (state) {
    case 'answered_all':
      return 'green'
    case 'answered_part':
    case 'no_answer':
      return 'amber'
    case 'refused':
    case 'unsafe':
    case 'wrong_address':
      return 'red'
    case 'vacant':
    case 'outside':
      return 'grey'
    case 'todo':
      return 'plain'
  }
}
