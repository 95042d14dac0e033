/** How a building is drawn: stairs as groups of columns, floors as rows with the top floor on top; lanes as lists. */
import { compareNames, doorName, laneOf } from '../../doors/places'
import type { Schema } from '../calls'

export type Building = Schema<'BuildingRead'>
export type Door = Schema<'DoorRead'>

export interface FacadeStair {
  /** of a lane its name */
  stair: string
  doors: Door[]
  /** as many as the facade has floors, top first; an empty list where the stair has no such floor */
  floors: Door[][]
}

export interface Facade {
  /** numbers of the floors, top first; null stands last: doors of which nobody knows the floor */
  floors: (number | null)[]
  stairs: FacadeStair[]
  /** without stairs and floors: a lane of houses, drawn as a list */
  isLane: boolean
}

/** What buildings are told apart by. */
export function buildingKey(building: Pick<Building, 'compound' | 'building'>): string {
  return `${building.compound}|${building.building}`
}

/** The doors of one building, laid out. */
export function layOut(doors: Door[]): Facade {
  const floors = [...new Set(doors.map((door) => door.floor))].sort((a, b) => (b ?? -Infinity) - (a ?? -Infinity))
  const isLane = doors.every((door) => !door.stair && door.floor === null)
  const byStair = new Map<string, Door[]>()
  for (const door of doors) byStair.set(door.stair, [...(byStair.get(door.stair) ?? []), door])
  if (isLane) return { floors: [null], isLane, stairs: lanesOf(doors).map((lane) => ({ ...lane, floors: [lane.doors] })) }
  const stairs = [...byStair.entries()]
    .sort(([a], [b]) => compareNames(a, b))
    .map(([stair, own]) => ({
      stair,
      doors: own,
      floors: floors.map((floor) => own.filter((door) => door.floor === floor).sort((a, b) => compareNames(doorName(a), doorName(b)))),
    }))
  return { floors, stairs, isLane }
}

/** In a community without buildings the doors share one "building" with an empty name: its lanes are told apart. */
function lanesOf(doors: Door[]): { stair: string; doors: Door[] }[] {
  const lanes = new Map<string, Door[]>()
  for (const door of doors) {
    const lane = laneOf(door)
    lanes.set(lane, [...(lanes.get(lane) ?? []), door])
  }
  return [...lanes.entries()].sort(([a], [b]) => compareNames(a, b)).map(([stair, own]) => ({ stair, doors: own }))
}

export type Way = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight'

/**
 * The door an arrow key leads to from a door: left and right along the floor through all stairs, up and down to the
 * same place of the next floor that has one. Null at the edge.
 */
export function doorBeside(facade: Facade, id: string, way: Way): string | null {
  const rows = facade.isLane
    ? [facade.stairs.flatMap((stair) => stair.doors)]
    : facade.floors.map((_, row) => facade.stairs.flatMap((stair) => stair.floors[row]!))
  const row = rows.findIndex((doors) => doors.some((door) => door.dwelling_id === id))
  if (row < 0) return null
  const at = rows[row]!.findIndex((door) => door.dwelling_id === id)
  const step = way === 'ArrowRight' || (facade.isLane && way === 'ArrowDown') ? 1 : -1
  if (facade.isLane || way === 'ArrowLeft' || way === 'ArrowRight') return rows[row]![at + step]?.dwelling_id ?? null
  const beyond = Array.from({ length: rows.length }, (_, n) => row + (n + 1) * (way === 'ArrowDown' ? 1 : -1)).filter((n) => rows[n])
  const stair = facade.stairs.find((one) => one.doors.some((door) => door.dwelling_id === id))!
  const place = stair.floors[row]!.findIndex((door) => door.dwelling_id === id)
  // the same stair first, past a floor it does not have; then whatever stands on the next floor
  const next = beyond.find((n) => stair.floors[n]!.length)
  const found = next === undefined ? rows[beyond[0] ?? -1]?.at(Math.min(at, rows[beyond[0]!]!.length - 1)) : stair.floors[next]!.at(Math.min(place, stair.floors[next]!.length - 1))
  return found?.dwelling_id ?? null
}
