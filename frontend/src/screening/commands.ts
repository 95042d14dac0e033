/** What screening writes into the outbox. A record can be taken back until the engine may send it. */
import { engine } from '../app/engine'
import type { Door, Outcome, Round } from '../doors/queries'
import type { AgainReason, OwnAnswer } from '../offline/types'
import type { PersonPayload } from './form'

/** Record one knock at a door. Answers the record's id. */
export async function recordDoorVisit(door: Door, { id: roundId, form }: Round, outcome: Outcome, persons: PersonPayload[], note = '', again: AgainReason | null = null, own: OwnAnswer[] = []): Promise<string> {
  const id = await engine.perform('screening.record_door_visit', {
    household_id: door.id,
    round_id: roundId,
    outcome,
    persons,
    ...(note.trim() && { note: note.trim() }),
    ...(again && { again_reason: again }),
    // where nobody answered, nobody was asked
    ...(form?.version && outcome.startsWith('answered') && { form_version: form.version, answers: own }),
  })
  return id
}

/** Record "no answer" at several doors in one go; either all are kept or none. */
export async function recordNoAnswer(doors: Door[], roundId: string): Promise<string[]> {
  const ids = await engine.performAll(
    doors.map((door) => ({
      name: 'screening.record_door_visit' as const,
      payload: { household_id: door.id, round_id: roundId, outcome: 'no_answer' as const, persons: [] },
    })),
  )
  return ids
}

/** Take records back. False when they have already been sent. */
export async function undoVisits(ids: string[]): Promise<boolean> {
  const isUndone = await engine.undo(ids)
  return isUndone
}
