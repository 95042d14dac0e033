/** A phone for tests: the engine on a database in memory, a clock that is set by hand, no timers of its own. */
import 'fake-indexeddb/auto'
import { Engine, type EngineOptions } from '../../src/offline/engine'
import type { DoorRecord, DoorVisitPayload } from '../../src/offline/types'
import { ROUND, type Town } from './town'

let serial = 0

export interface Phone {
  engine: Engine
  clock: { now: number }
  /** what the engine has asked to be run later, soonest first: ms from when it was asked */
  timers: { work: () => void; ms: number }[]
  reports: unknown[]
  options: EngineOptions
}

/** A phone of its own, or with `like` the same phone's app opened anew (or in another tab). */
export function makePhone(town: Town, over: Partial<EngineOptions> = {}, like?: Phone): Phone {
  const clock = like?.clock ?? { now: Date.parse('2026-11-24T02:00:00Z') }
  const timers: Phone['timers'] = []
  const reports: unknown[] = []
  const options: EngineOptions = {
    ...(like?.options ?? { databasePrefix: `phone-${++serial}` }),
    baseUrl: '',
    fetch: town.fetchOf(),
    locks: null,
    now: () => clock.now,
    random: () => 0.5,
    deviceName: 'test',
    language: () => 'zh-CN',
    timeoutMs: 1000,
    undoMs: 0,
    channel: null,
    ...over,
    databasePrefix: like?.options.databasePrefix ?? `phone-${serial}`,
    later: (work, ms) => {
      const timer = { work, ms }
      timers.push(timer)
      return () => timers.splice(timers.indexOf(timer), 1)
    },
    report: (error) => reports.push(error),
  }
  return { engine: new Engine(options), clock, timers, reports, options }
}

/** A phone signed in and synced. */
export async function readyPhone(town: Town, over: Partial<EngineOptions> = {}, login = 'wang'): Promise<Phone> {
  const phone = makePhone(town, over)
  await phone.engine.open()
  await phone.engine.signIn(login, 'right')
  await phone.engine.sync()
  return phone
}

/** The app closed without a word and opened again. */
export async function reopen(town: Town, phone: Phone, over: Partial<EngineOptions> = {}): Promise<Phone> {
  const again = makePhone(town, { undoMs: phone.options.undoMs, ...over }, phone)
  await again.engine.open()
  return again
}

export async function doorOf(phone: Phone, room: string): Promise<DoorRecord> {
  return (await phone.engine.listDoors()).find((door) => door.room === room)!
}

/** A visit as the door's page makes it: all well, or an outcome without persons. */
export function visit(door: DoorRecord, outcome: DoorVisitPayload['outcome'] = 'answered_all'): DoorVisitPayload {
  const isAnswered = outcome === 'answered_all'
  return {
    household_id: door.id,
    round_id: ROUND,
    outcome,
    persons: isAnswered ? door.residents.map((resident) => ({ resident_id: resident.id, status: 'well' as const })) : [],
  }
}

export async function record(phone: Phone, room: string, outcome: DoorVisitPayload['outcome'] = 'answered_all'): Promise<string> {
  return phone.engine.perform('screening.record_door_visit', visit(await doorOf(phone, room), outcome))
}

/** The outcome a door shows, in the one round there is. */
export async function outcomeOf(phone: Phone, room: string): Promise<string> {
  return (await doorOf(phone, room)).states.find((state) => state.roundId === ROUND)?.outcome ?? 'todo'
}
