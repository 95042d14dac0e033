/** What the not-home loop writes into the outbox. */
import { engine } from '../app/engine'
import type { Door, Round } from '../doors/queries'
import type { OwnAnswer } from '../offline/types'

/** A notice hangs at this door now. Answers the record's id. */
export async function leaveDoorNotice(door: Door, roundId: string): Promise<string> {
  const id = await engine.perform('screening.leave_door_notice', { household_id: door.id, round_id: roundId })
  return id
}

/** What they said of themselves is right: it becomes the visit, with what the round asks of its own. Answers the record's id. */
export async function confirmSelfReport(door: Door, { id: roundId, form }: Round, own: OwnAnswer[] = []): Promise<string> {
  const id = await engine.perform('screening.confirm_self_report', {
    household_id: door.id,
    round_id: roundId,
    self_report_id: door.report!.id,
    ...(form?.version && { form_version: form.version, answers: own }),
  })
  return id
}

/** Take a record back. False when it has been sent. */
export async function undoNotHome(id: string): Promise<boolean> {
  const isUndone = await engine.undo([id])
  return isUndone
}
