/** What care writes into the outbox, and the draft of a visit that is not finished. */
import { engine } from '../app/engine'
import { reloadDoors, type Door } from '../doors/queries'
import type { Condition, Need } from './needs'

export interface CareDraft {
  condition: Condition | null
  residentId: string | null
  needs: Need[]
  note: string
  /** YYYY-MM-DD, or "" for none */
  nextOn: string
}

function keyOf(householdId: string): string {
  return `care:${householdId}`
}

/** The unfinished visit to this household, or nothing. */
export async function readCareDraft(householdId: string): Promise<Partial<CareDraft>> {
  return (await engine.getDraft<CareDraft>(keyOf(householdId))) ?? {}
}

/** Keep what has been filled in so far. */
export async function keepCareDraft(householdId: string, draft: CareDraft): Promise<void> {
  await engine.saveDraft(keyOf(householdId), draft)
}

/** Record a care visit; its draft goes. */
export async function recordCareVisit(door: Door, draft: CareDraft): Promise<void> {
  if (!draft.condition) throw new Error('a visit without a condition')
  await engine.perform('care.record_visit', {
    household_id: door.id,
    condition: draft.condition,
    needs: draft.needs,
    ...(draft.residentId && { resident_id: draft.residentId }),
    ...(draft.note.trim() && { note: draft.note.trim() }),
    ...(draft.nextOn && { next_on: draft.nextOn }),
  })
  await engine.clearDraft(keyOf(door.id))
  await reloadDoors()
}
