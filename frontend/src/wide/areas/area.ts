/** Responsibility areas as the page thinks of them: signs, owners, what a selection can be used for. */
import type { Schema } from '../calls'
import type { Building, Door } from './facade'

export type Area = Schema<'ResponsibilityAreaRead'>
export type Account = Schema<'WorkerRead'>

/** Hues (degrees) that stay apart in light and dark; the sign beside them says the same without colour. */
const HUES = [210, 28, 145, 285, 52, 180, 335, 95, 250, 0]

/** A, B … Z, AA, AB …: the sign of the area at a place of the list. */
export function signOf(index: number): string {
  const rest = index % 26
  return (index >= 26 ? signOf(Math.floor(index / 26) - 1) : '') + String.fromCharCode(65 + rest)
}

export interface Marked {
  area: Area
  sign: string
  hue: number
}

/** Areas with their signs and colours, by id; the oldest is A, so signs stay when new ones come. */
export function markAreas(areas: Area[]): Map<string, Marked> {
  return new Map(areas.map((area, index) => [area.id, { area, sign: signOf(index), hue: HUES[index % HUES.length]! }]))
}

export interface WithoutOwner {
  /** doors in no area */
  inNoArea: number
  /** doors in areas nobody holds */
  unheld: number
}

/** Doors nobody answers for. */
export function countWithoutOwner(buildings: Building[], areas: Area[]): WithoutOwner {
  return {
    inNoArea: buildings.reduce((sum, building) => sum + building.unassigned_count, 0),
    unheld: areas.filter((area) => !area.holder).reduce((sum, area) => sum + area.dwelling_count, 0),
  }
}

export interface Selection {
  /** in no area: can be made an area or added to one */
  free: string[]
  /** in the chosen area: can be taken out of it */
  own: string[]
  /** in other areas: stay as they are */
  other: string[]
  households: number
}

/** What the selected doors are, given the area that is chosen in the list. */
export function sortSelection(doors: Iterable<Door>, chosenArea: string | null): Selection {
  const found: Selection = { free: [], own: [], other: [], households: 0 }
  for (const door of doors) {
    found.households += door.household_count
    const lies = door.responsibility_area_id
    if (!lies) found.free.push(door.dwelling_id)
    else if (lies === chosenArea) found.own.push(door.dwelling_id)
    else found.other.push(door.dwelling_id)
  }
  return found
}

/**
 * Doors a click on a stair or a building selects: those without an area and those of the chosen area; where there
 * are none of either, all. Already selected, they are taken back.
 */
export function toggleGroup(selected: ReadonlySet<string>, doors: Door[], chosenArea: string | null): Set<string> {
  const usable = doors.filter((door) => !door.responsibility_area_id || door.responsibility_area_id === chosenArea)
  const group = (usable.length ? usable : doors).map((door) => door.dwelling_id)
  const next = new Set(selected)
  const areAllIn = group.every((id) => next.has(id))
  for (const id of group) {
    if (areAllIn) next.delete(id)
    else next.add(id)
  }
  return next
}

const PEOPLE = ['grid_worker', 'party_member', 'committee', 'street', 'district', 'city']

/** Who can answer for doors: those who work doors first, then by name. */
export function orderAssignees(accounts: Account[]): Account[] {
  const rank = (account: Account) => Math.min(...account.grants.map((grant) => PEOPLE.indexOf(grant.role)).filter((at) => at >= 0), 99)
  return accounts
    .filter((account) => rank(account) < 99)
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, 'zh-CN'))
}

/** How many areas somebody holds, for choosing the next holder. */
export function countHeld(areas: Area[], accountId: string): { areas: number; households: number } {
  const held = areas.filter((area) => area.holder?.id === accountId)
  return { areas: held.length, households: held.reduce((sum, area) => sum + area.household_count, 0) }
}

/** A name to begin with: the places of the selection, as many as fit. */
export function proposeName(doors: Door[], stairTitle: (door: Door) => string): string {
  const names = [...new Set(doors.map(stairTitle))]
  if (names.length > 1 && new Set(doors.map((door) => door.compound + door.building)).size === 1) {
    const building = stairTitle({ ...doors[0]!, stair: '' })
    return `${building} ${names.map((name) => name.replace(building, '').trim()).filter(Boolean).join('、')}`.trim().slice(0, 80)
  }
  return names.join('、').slice(0, 80)
}
