/** Choosing households for an ask-list: what is looked for, and addresses as somebody pastes them. */
import type { Schema } from '../calls'
import { t as frame } from '../texts'
import { t } from './texts'

export type Way = 'find' | 'paste'
type Building = Schema<'BuildingRead'>
type Filter = { compound?: string; building?: string; stair?: string; q?: string; tag?: Schema<'HouseholdTag'> }

const MOST_LINES = 1000

/** A building by its compound and name, `|` between; "" is all. */
export function buildingOptions(found: readonly Building[]): { value: string; label: string }[] {
  const name = ({ compound, building }: Building): string =>
    [compound, /^\d+$/.test(building) ? frame('place.building', { name: building }) : building].filter(Boolean).join(' ') || frame('place.other')
  return [{ value: '', label: t('list.any') }, ...found.map((one) => ({ value: `${one.compound}|${one.building}`, label: name(one) }))]
}

/** What the choices mean; what is not chosen is left out. */
export function filterOf(building: string, stair: string, tag: string, q: string): Filter {
  const [compound, name] = building ? building.split('|') : []
  return {
    ...(building && { compound, building: name }),
    ...(stair && { stair }),
    ...(tag && { tag: tag as Schema<'HouseholdTag'> }),
    ...(q && { q }),
  }
}

/** Addresses, one a line, each once; of a pasted table the first column that says anything. */
export function pastedLines(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.split('\t').map((cell) => cell.trim()).find(Boolean) ?? '')
  return [...new Set(lines.filter(Boolean).map((line) => line.slice(0, 120)))].slice(0, MOST_LINES)
}
