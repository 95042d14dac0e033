/** What each column holds: as the server took it, as a person has changed it, and what may be chosen. */
import type { ImportColumn, ImportField, ImportSheet, Mapping } from './imports'

export interface Choice {
  value: string
  label: string
}
export type ColumnState = 'known' | 'changed' | 'unknown' | 'left_out'

const MEMBER = /^member(\d+)_(.+)$/

/** The field a column would have after the changes. A field chosen elsewhere leaves the column it was found in. */
export function fieldAfter(column: ImportColumn, changes: Mapping): string | null {
  if (column.letter in changes) return changes[column.letter] ?? null
  const isTaken = column.field !== null && Object.values(changes).includes(column.field)
  return isTaken ? null : column.field
}

/** How sure one is of a column: by its header word, by a person's word, or not at all. */
export function stateOf(column: ImportColumn, mapping: Mapping | null, changes: Mapping): ColumnState {
  const said = { ...mapping, ...changes }
  if (column.letter in said) return said[column.letter] === null ? 'left_out' : 'changed'
  return fieldAfter(column, changes) === null ? 'unknown' : 'known'
}

/** The whole mapping to send: what was said before, and what is said now over it. */
export function mergeMapping(mapping: Mapping | null, changes: Mapping): Mapping {
  const chosen = new Set(Object.values(changes).filter((field) => field !== null))
  const kept = Object.entries(mapping ?? {}).filter(([, field]) => field === null || !chosen.has(field))
  return { ...Object.fromEntries(kept), ...changes }
}

/** The changes with one more; choosing what the column has anyway takes a change back. */
export function withChange(changes: Mapping, column: ImportColumn, field: string | null): Mapping {
  const rest = Object.fromEntries(Object.entries(changes).filter(([letter, given]) => letter !== column.letter && (field === null || given !== field)))
  return fieldAfter(column, rest) === field ? rest : { ...rest, [column.letter]: field }
}

/** How a field is called; `member` words a field of the nth person of a row. */
export function fieldLabel(name: string, fields: ImportField[], member: (n: number, label: string) => string): string {
  const match = MEMBER.exec(name)
  const labelOf = (base: string) => fields.find((field) => field.field === base)?.label ?? base
  return match ? member(Number(match[1]), labelOf(match[2]!)) : labelOf(name)
}

/**
 * What a column may be: every field, and where persons stand side by side in a row, the fields of each of them
 * and of one more.
 */
export function choicesFor(sheet: ImportSheet, fields: ImportField[], member: (n: number, label: string) => string): Choice[] {
  const plain = fields.map((field) => ({ value: field.field, label: field.label }))
  const numbers = sheet.columns.map((column) => Number(MEMBER.exec(column.field ?? '')?.[1] ?? 0))
  const most = Math.max(0, ...numbers)
  if (!most) return plain
  const persons = fields.filter((field) => field.is_person)
  const members = Array.from({ length: most + 1 }, (_, index) =>
    persons.map((field) => ({ value: `member${index + 1}_${field.field}`, label: member(index + 1, field.label) })),
  )
  return [...plain, ...members.flat()]
}

/** Columns with words above them that nobody knows. */
export function unknownColumns(sheet: ImportSheet, mapping: Mapping | null, changes: Mapping): ImportColumn[] {
  return sheet.columns.filter((column) => stateOf(column, mapping, changes) === 'unknown')
}

/** Sheets worth showing: those with columns; when none has any, all. */
export function shownSheets(sheets: ImportSheet[]): ImportSheet[] {
  const filled = sheets.filter((sheet) => sheet.columns.length)
  return filled.length ? filled : sheets
}
