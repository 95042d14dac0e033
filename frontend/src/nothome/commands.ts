/** What the not-home loop writes into the outbox. */
import { engine } from '../app/engine'
import type { Door } from '../doors/queries'

/** A notice hangs at this door now. Answers the record's id. */
export async function leaveDoorNotice(door: Door, roundId: string): Promise<string> {
  const id = await engine.perform('screening.leave_door_notice', { household_id: door.id, round_id: roundId })
  return id
}

/** What they said of themselves is right: it becomes the visit. Answers the record's id. */
export async function confirmSelfReport(door: Door, roundId: string): Promise<string> {
  const id = await engine.perform('screening.confirm_self_report', { household_id: door.id, round_id: roundId, self_report_id: door.report!.id })
  return id
}

/** Take a record back, unless it has been sent. */
export async function undoNotHome(id: string): Promise<void> {
  await engine.undo([id])
}
