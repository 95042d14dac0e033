/**
 * A door as the screens think of it: one household, where it lives, who lives there, and how it stands in the
 * round on screen. Made by `queries.ts` from the phone's database; everything here is plain data and rules.
 */
import type { CareRecord, DoorRecord, Outcome, ResidentRecord } from '../offline/types'
import type { Tone } from '../ui/tone'

export type { Outcome }
export type DoorState = 'todo' | Outcome

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
  check: { status: string; temperature: number | null } | null
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
  attempts: number
  /** when it was last knocked at in this round, ms */
  at: number | null
  by: string
  /** something recorded here has not been confirmed yet */
  isWaiting: boolean
  care: CareRecord | null
}

/** A household's record as it stands in one round (or in none). */
export function doorInRound(record: DoorRecord, roundId: string | null): Door {
  const state = record.states.find((one) => one.roundId === roundId)
  return {
    id: record.id,
    dwellingId: record.dwellingId,
    areaId: record.areaId,
    communityCode: record.communityCode,
    compound: record.compound,
    building: record.building,
    stair: record.stair,
    floor: record.floor,
    room: record.room,
    address: record.address,
    head: record.head,
    initials: record.initials,
    tags: record.tags,
    phone: record.phone,
    note: record.note,
    members: record.residents.map(({ checks, ...person }) => ({ ...person, check: checks.find((one) => one.roundId === roundId) ?? null })),
    state: state?.outcome ?? 'todo',
    attempts: state?.attempts ?? 0,
    at: state?.at ?? null,
    by: state?.by ?? '',
    isWaiting: record.pending.length > 0,
    care: record.care,
  }
}

/** A door with nobody registered behind it. */
export interface VacantDoor extends Place {
  dwellingId: string
  areaId: string
}

/** Wait this long before a door that did not open is proposed again. */
export const RETRY_AFTER_MS = 2 * 3_600_000

const DONE: ReadonlySet<DoorState> = new Set(['answered_all', 'vacant'])
const MISSED: ReadonlySet<DoorState> = new Set(['no_answer', 'refused', 'answered_part', 'unsafe', 'wrong_address'])

/** Nothing more to ask in this round: everybody answered for, or nobody lives here. */
export function isDone(door: Pick<Door, 'state'>): boolean {
  return DONE.has(door.state)
}

/** Knocked at, and still somebody is missing. */
export function isMissed(door: Pick<Door, 'state'>): boolean {
  return MISSED.has(door.state)
}

/** To be knocked at now: never yet, or not at home some hours ago. Refusals and wrong addresses wait for a person's decision. */
export function isDue(door: Pick<Door, 'state' | 'at'>, now: number): boolean {
  if (door.state === 'todo') return true
  const canRetry = door.state === 'no_answer' || door.state === 'answered_part'
  return canRetry && now - (door.at ?? 0) >= RETRY_AFTER_MS
}

/** Order of the list: never knocked at first, then the ones to try again, then waiting for another hour, then done. */
export function dueRank(door: Pick<Door, 'state' | 'at'>, now: number): number {
  if (door.state === 'todo') return 0
  if (isDue(door, now)) return 1
  return isDone(door) ? 3 : 2
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
      return 'grey'
    case 'todo':
      return 'plain'
  }
}
