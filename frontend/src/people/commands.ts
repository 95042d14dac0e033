/** What is learnt of a household at its door, as records of the outbox. */
import { engine } from '../app/engine'
import { reloadDoors, type Door } from '../doors/queries'
import type { HouseholdChanges, ResidentChanges } from '../offline/types'
import { tidyPhone, type PersonForm } from './form'

/** Correct the household's own facts; `version` is that of its area when the form was filled. */
export async function updateHousehold(door: Door, version: number, changes: HouseholdChanges): Promise<string> {
  return kept(engine.perform('people.update_household', { household_id: door.id, base_version: version, changes }))
}

/** Correct a member's facts. */
export async function updateResident(door: Door, residentId: string, version: number, changes: ResidentChanges): Promise<string> {
  return kept(engine.perform('people.update_resident', { household_id: door.id, resident_id: residentId, base_version: version, changes }))
}

/** Write down somebody who lives here and is not listed. */
export async function addResident(door: Door, person: PersonForm): Promise<string> {
  const relation = person.relation.trim()
  const phone = tidyPhone(person.phone)
  return kept(
    engine.perform('people.add_resident', {
      household_id: door.id,
      name: person.name.trim(),
      sex: person.sex,
      ...(relation && { relation }),
      ...(person.birthOn && { birth_on: person.birthOn }),
      ...(phone && { phone }),
    }),
  )
}

/** Take a record back. False when it has already been sent. */
export async function undoEdit(id: string): Promise<boolean> {
  const isUndone = await engine.undo([id])
  await reloadDoors()
  return isUndone
}

async function kept(work: Promise<string>): Promise<string> {
  const id = await work
  await reloadDoors()
  return id
}
