/**
 * The doors this phone carries, read from its database into memory once and again after each change: some
 * hundreds of households are a small thing, and every list, ring and stair is drawn from the same picture.
 */
import { computed, shallowRef } from 'vue'
import { today } from '../app/days'
import { engine } from '../app/engine'
import { FIRST_RULES, type FindingRules } from '../app/limits'
import { readSettings, writeSettings } from '../app/settings'
import { openSession } from '../auth/session'
import { keepPart } from '../offline/serviceWorker'
import type { AreaRecord, DoorRecord, RoundForm } from '../offline/types'
import { doorInRound, type Door, type VacantDoor } from './door'

export { isDone, isDue, toneOf, type Door, type DoorState, type Member, type Outcome, type Place, type VacantDoor } from './door'
export { comparePlaces, doorName, floorsOf, fullAddress, groupByStair, stairKey, stairTitle, type StairGroup } from './places'
export { nextDoor } from './walk'
export { againWord, memberLine, stateSign, stateWord, tagWord } from './words'

/** A screening round as the areas on this phone know it. */
export interface Round {
  id: string
  title: string
  startsOn: string
  endsOn: string
  /** the areas of this phone that it covers */
  areaIds: string[]
  form?: RoundForm
  /** the households it is for; none: all */
  targets?: Set<string> | null
}

export const areas = shallowRef<AreaRecord[]>([])
/** What is followed up of what is recorded on a day, by the rules that came with the areas. */
export function rulesOn(day = today()): FindingRules {
  const known = areas.value[0]?.findings
  return known?.filter((one) => one.from_on <= day).pop() ?? known?.[0] ?? FIRST_RULES
}
export const isLoaded = shallowRef(false)
const records = shallowRef<DoorRecord[]>([])
const chosenRound = shallowRef(readSettings().roundId)

/** Open rounds, the newest on top (ids rise with time): it is the one that the desk and the headcounts mean by the current round. */
export const rounds = computed<Round[]>(() => {
  const found = new Map<string, Round>()
  for (const area of areas.value) {
    for (const round of area.rounds) {
      // one that begins later is carried so that it is here on its first day
      if (round.startsOn > today() || (round.isDay && round.startsOn < today())) continue
      const targets = round.form?.targets
      const known = found.get(round.id) ?? { ...round, areaIds: [], targets: targets && new Set() }
      known.areaIds.push(area.id)
      targets?.forEach((id) => known.targets!.add(id))
      found.set(round.id, known)
    }
  }
  return [...found.values()].sort((a, b) => b.id.localeCompare(a.id))
})

/** The round one works for now: the chosen one while it is open, else the first. */
export const round = computed<Round | null>(() => rounds.value.find((one) => one.id === chosenRound.value) ?? rounds.value[0] ?? null)

/** Work for another of the open rounds. */
export function chooseRound(id: string): void {
  chosenRound.value = id
  writeSettings({ roundId: id })
}

/** Doors in the round of the moment, each as long as its record stands. */
const drawn = computed(() => ({ round: round.value, doors: new WeakMap<DoorRecord, Door>() }))

/** Every household, as it stands in the round of the moment. */
export const doors = computed<Door[]>(() => {
  const { round, doors: known } = drawn.value
  return records.value.flatMap((record) => {
    if (record.vacant) return []
    const door = known.get(record) ?? doorInRound(record, round?.id ?? null, round?.targets)
    known.set(record, door)
    return door
  })
})

/** Doors with nobody behind them, for the picture of a stair. */
export const vacantDoors = computed<VacantDoor[]>(() => records.value.filter((record) => record.vacant))

const byId = computed(() => new Map(doors.value.map((door) => [door.id, door])))

/** One household, or undefined when this phone does not carry it (any more). */
export function findDoor(id: string): Door | undefined {
  return byId.value.get(id)
}

/** What the doors here may need without a network: photos; the questions of a round that asks its own. */
function keepParts(): void {
  if (!areas.value.length) return
  void keepPart('photos')
  if (areas.value.some((area) => area.rounds.some((one) => one.form?.questions.length))) void keepPart('questions')
}

let reading: Promise<void> | null = null
let isStale = false

async function readAll(): Promise<void> {
  while (isStale) {
    isStale = false
    const [foundAreas, foundDoors] = await Promise.all([engine.listAreas(), engine.listDoors()])
    areas.value = foundAreas
    records.value = foundDoors
    isLoaded.value = true
    keepParts()
  }
}

/** Read all again; changes that come meanwhile are read in one more go, not one by one. */
export function reloadDoors(): Promise<void> {
  isStale = true
  reading ??= readAll().finally(() => (reading = null))
  return reading
}

engine.watch((changed) => {
  // what is being read may be older
  if (!changed || (reading && changed.length)) void reloadDoors()
  // each in the place of what it was
  if (changed?.length) records.value = [...new Map([...records.value, ...changed].map((record) => [record.id, record])).values()]
})
// at a start this file is fetched while the database is being opened, and may have heard of it or not
void openSession().then(() => {
  if (!isLoaded.value && !reading) void reloadDoors()
})
