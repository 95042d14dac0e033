/** What is learnt of a household at its door, as records of the outbox. */
import { engine } from '../app/engine'
import { areas, reloadDoors, type Door, type VacantDoor } from '../doors/queries'
import { newId } from '../offline/ids'
import type { AddHouseholdPayload, DoorRecord, GoneReason, HouseholdChanges, ResidentChanges } from '../offline/types'
import { tidyPhone, type HouseholdForm, type PersonForm } from './form'

/** A new door by its parts. */
export type NewDoor = NonNullable<AddHouseholdPayload['door']>
type Found = Door | VacantDoor

/** Correct the household's own facts; `version` is that of its area when the form was filled. */
export async function updateHousehold(door: Door, version: number, changes: HouseholdChanges): Promise<string> {
  return engine.perform('people.update_household', { household_id: door.id, base_version: version, changes })
}

/** Correct a member's facts. */
export async function updateResident(door: Door, residentId: string, version: number, changes: ResidentChanges): Promise<string> {
  return engine.perform('people.update_resident', { household_id: door.id, resident_id: residentId, base_version: version, changes })
}

/** Write down somebody who lives here and is not listed. */
export async function addResident(door: Door, person: PersonForm): Promise<string> {
  return engine.perform('people.add_resident', { household_id: door.id, resident_id: newId(Date.now()), ...personOf(person) })
}

/** A person as records have them. */
function personOf(person: PersonForm) {
  const relation = person.relation.trim()
  const phone = tidyPhone(person.phone)
  const { sex } = person
  return { name: person.name.trim(), sex, ...(relation && { relation }), ...(person.birthOn && { birth_on: person.birthOn }), ...(phone && { phone }) }
}

/** Write down that a member lives here no longer, since `on` (YYYY-MM-DD). */
export async function markResidentGone(door: Door, residentId: string, reason: GoneReason, on: string): Promise<string> {
  return engine.perform('people.mark_resident_gone', { household_id: door.id, resident_id: residentId, reason, on })
}

/**
 * Write down a household that is not listed: behind the door `beside`, or behind a new one (`place`) of the same area.
 * Answers its id and the record's.
 */
export async function addHousehold(beside: Found, place: NewDoor | null, head: PersonForm, contact: HouseholdForm): Promise<[household: string, record: string]> {
  const [id, headId] = [newId(Date.now()), newId(Date.now())]
  const [phone, note] = [tidyPhone(contact.phone), contact.note.trim()]
  const person = { id: headId, ...personOf(head) }
  const payload: AddHouseholdPayload = {
    household_id: id,
    responsibility_area_id: beside.areaId,
    ...(place ? { door: place } : { dwelling_id: beside.dwellingId }),
    ...(phone && { phone }),
    ...(note && { note }),
    residents: [person],
  }
  const { compound, building, stair, floor, room, address } = beside
  const made: DoorRecord = {
    ...{ compound, building, stair, floor, room, address, ...(place && { ...place, address: '' }) },
    id, dwellingId: place ? id : beside.dwellingId, areaId: beside.areaId, communityCode: areas.value.find((area) => area.id === beside.areaId)?.communityCode ?? '',
    isMade: true, vacant: false, states: [], care: null, head: person.name, initials: '', kind: 'family', tags: [], phone, note, pending: [],
    residents: [{ id: headId, name: person.name, initials: '', sex: person.sex, birthYear: null, relation: person.relation || '', needsIdCheck: false, checks: [] }],
  }
  return [id, await engine.perform('people.add_household', payload, made)]
}

/** Take a record back. False when it has already been sent. */
export async function undoEdit(id: string): Promise<boolean> {
  const isUndone = await engine.undo([id])
  await reloadDoors()
  return isUndone
}
