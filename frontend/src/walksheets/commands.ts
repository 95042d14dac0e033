/** Doors in walking order, and handing a printed sheet in so that it can be entered. */
import { engine } from '../app/engine'
import { comparePlaces, isDone, isDue, type Door, type Round } from '../doors/queries'
import { newId } from '../offline/ids'
import type { Uploads } from '../uploads/store'

/** What is to be knocked at now first, then what waits for another hour or a person; each by building, stair, floor. */
export function inWalkingOrder(doors: readonly Door[], now: number): Door[] {
  const rank = (door: Door): number => (isDue(door, now) ? 0 : 1)
  return doors.filter((door) => !isDone(door)).sort((a, b) => rank(a) - rank(b) || comparePlaces(a, b))
}

/** Keep a sheet that is about to be printed until the server knows it; answers its id. */
export async function handInSheet(areaId: string, round: Round, householdIds: string[]): Promise<string> {
  const at = Date.now()
  const id = newId(at)
  const uploads = (await engine.openUploads()) as Uploads
  const body = { id, responsibility_area_id: areaId, round_id: round.id, form_version: round.form?.version ?? 0, household_ids: householdIds, printed_at: new Date(at).toISOString() }
  await uploads.put({
    id,
    kind: 'sheet',
    householdId: '',
    after: null,
    isDraft: false,
    at,
    method: 'POST',
    url: '/api/v1/walk-sheets',
    type: 'application/json',
    body: new TextEncoder().encode(JSON.stringify(body)).buffer as ArrayBuffer,
    problem: null,
  })
  await uploads.changed()
  return id
}
