/** What may be entered about households and people, and what of it has changed. */
import type { GoneReason, HouseholdChanges, ResidentChanges } from '../offline/types'

/** Mobile numbers and land lines, as the server takes them. */
const PHONE = /^(1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|\d{7,8})$/

/** As the registry has it in every language; `relationWord` shows it. */
export const HEAD = '户主'

export interface HouseholdForm {
  phone: string
  note: string
}

export interface PersonForm {
  name: string
  sex: number
  relation: string
  /** YYYY-MM-DD, or "" for not known or unchanged */
  birthOn: string
  /** "" for none or unchanged: the phone in one's hand does not know the number there is */
  phone: string
}

/** A person's form that is not finished: what stood there when it was opened (`before`, by the area's `version`), and what has been said. */
export interface PersonDraft {
  form: PersonForm
  before: PersonForm
  version: number
  reason: GoneReason | null
  /** YYYY-MM-DD */
  goneOn: string
}

export const EMPTY_PERSON: Readonly<PersonForm> = { name: '', sex: 0, relation: '', birthOn: '', phone: '' }

/** Spaces and the like, which people put between the digits. */
export function tidyPhone(text: string): string {
  return text.normalize('NFKC').replace(/\s/g, '').replace(/^\+?86(?=1)/, '')
}

/** The name under which the draft of a person's form is kept; somebody new has no id. */
export function personKey(householdId: string, residentId = ''): string {
  return `person:${householdId}:${residentId}`
}

export function isPhone(text: string): boolean {
  return text.trim() === '' || PHONE.test(tidyPhone(text))
}

/** What differs from what was on screen when the form was opened. */
export function householdChanges(before: HouseholdForm, after: HouseholdForm): HouseholdChanges {
  const phone = tidyPhone(after.phone)
  const note = after.note.trim()
  return { ...(phone !== before.phone && { phone }), ...(note !== before.note && { note }) }
}

/** As `householdChanges`; a birth date and a number are changed by being entered. */
export function personChanges(before: PersonForm, after: PersonForm): ResidentChanges {
  const name = after.name.trim()
  const relation = after.relation.trim()
  const phone = tidyPhone(after.phone)
  return {
    ...(name !== before.name && { name }),
    ...(after.sex !== before.sex && { sex: after.sex }),
    ...(relation !== before.relation && { relation }),
    ...(after.birthOn && { birth_on: after.birthOn }),
    ...(phone && { phone }),
  }
}
