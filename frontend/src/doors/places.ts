/** How places are ordered, grouped and named: buildings, stairs, floors; or lanes where there are none. */
import { t } from '../app/i18n'
import type { Door, Place } from './door'
import { isDone } from './door'

let collator: Intl.Collator | undefined
const isNumber = (name: string): boolean => /^\d+$/.test(name)

/** Natural order of names: building 2 before building 10. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0
  // most are numbers; a slow phone takes a tenth of a second to make the collator for the others
  if (isNumber(a) && isNumber(b)) return +a - +b
  return (collator ??= new Intl.Collator('zh-CN', { numeric: true })).compare(a, b)
}

/** Compound, building, stair, floor from the ground, room; then the free address. */
export function comparePlaces(a: Place, b: Place): number {
  return (
    compareNames(a.compound, b.compound) ||
    compareNames(a.building, b.building) ||
    compareNames(a.stair, b.stair) ||
    (a.floor ?? 0) - (b.floor ?? 0) ||
    compareNames(a.room, b.room) ||
    compareNames(a.address, b.address)
  )
}

/** A place without stair and floor: a village house, a shop, a farm. */
export function isLanePlace(place: Place): boolean {
  return !place.stair && place.floor === null
}

/** The lane of a free address: what stands before its last number. 前街12号 → 前街. */
export function laneOf(place: Place): string {
  if (place.building) return place.building
  const written = place.address || place.room
  return written.replace(/[\s,，-]*\d+[^\d]*$/u, '').trim()
}

/** What doors share that are worked in one go: a stair, or a lane. */
export function stairKey(place: Place): string {
  return isLanePlace(place)
    ? ['lane', place.compound, laneOf(place)].join('|')
    : ['stair', place.compound, place.building, place.stair].join('|')
}

export function named(name: string, key: 'place.building' | 'place.stair'): string {
  if (!name) return ''
  return /^[\dA-Za-z]+$/.test(name) ? t(key, { name }) : name
}

/** 3号楼 2单元, or the lane's name; `withCompound` where a community has several compounds. */
export function stairTitle(place: Place, withCompound = false): string {
  const parts = isLanePlace(place)
    ? [laneOf(place) || t('place.lane_rest')]
    : [named(place.building, 'place.building'), named(place.stair, 'place.stair')]
  if (withCompound) parts.unshift(place.compound)
  return parts.filter(Boolean).join(' ') || t('place.other')
}

/** The whole address as one reads it at the door: 花园小区 3号楼 2单元 502. */
export function fullAddress(place: Place): string {
  if (isLanePlace(place)) {
    return [place.compound, place.address || [place.building, place.room].filter(Boolean).join(' ')].filter(Boolean).join(' ')
  }
  return [place.compound, named(place.building, 'place.building'), named(place.stair, 'place.stair'), place.room].filter(Boolean).join(' ')
}

/** The short name of a door on its stair: its room, or its house number in a lane. */
export function doorName(place: Place): string {
  if (place.room) return place.room
  const lane = laneOf(place)
  return (lane && place.address.startsWith(lane) ? place.address.slice(lane.length).trim() : place.address) || '?'
}

export interface StairGroup<D extends Place = Door> {
  key: string
  title: string
  isLane: boolean
  doors: D[]
  done: number
}

/**
 * Doors by stair (or lane), stairs in natural order, doors from the ground up; with `rankOf`, what has the lowest rank
 * comes first: doors of a stair, and stairs by the first of their doors.
 */
export function groupByStair(doors: Door[], rankOf: (door: Door) => number = () => 0): StairGroup[] {
  const withCompound = doors.some((door) => door.compound !== doors[0]!.compound)
  const groups = new Map<string, StairGroup>()
  for (const door of doors) {
    const key = stairKey(door)
    let group = groups.get(key)
    if (!group) {
      group = { key, title: stairTitle(door, withCompound), isLane: isLanePlace(door), doors: [], done: 0 }
      groups.set(key, group)
    }
    group.doors.push(door)
    if (isDone(door)) group.done += 1
  }
  const found = [...groups.values()]
  const compare = (a: Door, b: Door): number => rankOf(a) - rankOf(b) || comparePlaces(a, b)
  // each by itself, then by their first doors: all doors in one go is ten thousand comparisons of six names for a thousand
  for (const group of found) group.doors.sort(compare)
  return found.sort((a, b) => compare(a.doors[0]!, b.doors[0]!))
}

export interface FloorRow<D> {
  floor: number | null
  tiles: D[]
}

/** A stair's floors as one sees them from the courtyard: the top floor first, rooms from left to right. */
export function floorsOf<D extends Place>(places: D[]): FloorRow<D>[] {
  const floors = new Map<number | null, D[]>()
  for (const place of places) {
    const row = floors.get(place.floor)
    if (row) row.push(place)
    else floors.set(place.floor, [place])
  }
  return [...floors.entries()]
    .sort(([a], [b]) => (b ?? -Infinity) - (a ?? -Infinity))
    .map(([floor, tiles]) => ({ floor, tiles: tiles.sort((a, b) => compareNames(a.room, b.room)) }))
}
