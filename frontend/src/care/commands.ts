/** What care writes into the outbox. */
import { engine } from '../app/engine'
import type { Door } from '../doors/queries'
import type { Condition, Need } from './needs'

/** A visit that is not finished. */
export interface CareDraft {
  condition: Condition | null
  residentId: string | null
  needs: Need[]
  note: string
  /** YYYY-MM-DD, or "" for none */
  nextOn: string
}

/** Record a care visit. */
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
}
