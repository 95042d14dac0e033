/** Photos of a door: shrunk by being drawn anew, which leaves nothing of what a camera writes beside the picture. */
import { engine } from '../app/engine'
import { newId } from '../offline/ids'
import { StorageError } from '../offline/types'
import type { Upload, Uploads } from '../uploads/store'

/** pixels of the longest side, and bytes above which it is pressed harder */
const LONGEST = 1280
const MOST_BYTES = 500_000
const QUALITIES = [0.82, 0.65, 0.5]
/** Photos of one visit. */
export const MOST_PHOTOS = 4
/** Room that has to be left on the phone: records come first. */
const ROOM_BYTES = 50_000_000

const open = (): Promise<Uploads> => engine.openUploads() as Promise<Uploads>

/** Whether the phone has too little room for photos; where the browser does not say, it has. */
export async function isRoomLow(): Promise<boolean> {
  const { usage = 0, quota } = (await navigator.storage?.estimate?.()) ?? {}
  return quota !== undefined && quota - usage < ROOM_BYTES
}

/** The picture of a file as a JPEG of its own. Raises when the browser cannot open it. */
export async function shrink(file: Blob): Promise<ArrayBuffer> {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' })
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(bitmap.width * scale))
  canvas.height = Math.max(1, Math.round(bitmap.height * scale))
  canvas.getContext('2d')!.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  let blob: Blob | null = null
  for (const quality of QUALITIES) {
    blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality))
    if (blob && blob.size <= MOST_BYTES) break
  }
  if (!blob) throw new Error('no picture')
  return blob.arrayBuffer()
}

/** The photos of a door that no visit has been saved with. */
export async function listDrafts(householdId: string): Promise<Upload[]> {
  return (await (await open()).listOf(householdId)).filter((one) => one.isDraft)
}

/** Keep a photo of a door with its draft; it goes with the visit that is saved next. Raises StorageError. */
export async function keepPhoto(householdId: string, file: Blob): Promise<void> {
  if (await isRoomLow()) throw new StorageError('full')
  const at = Date.now()
  const id = newId(at)
  const query = new URLSearchParams({ household_id: householdId, taken_at: new Date(at).toISOString() })
  await (await open()).put({
    id,
    kind: 'photo',
    householdId,
    after: null,
    isDraft: true,
    at,
    method: 'PUT',
    url: `/api/v1/photos/${id}?${query}`,
    type: 'image/jpeg',
    body: await shrink(file),
    problem: null,
  })
}

export async function removePhoto(id: string): Promise<void> {
  const uploads = await open()
  await uploads.remove(id)
  await uploads.changed()
}

/** The photos of a door that no visit has been saved with are not wanted. */
export async function dropPhotos(householdId: string): Promise<void> {
  for (const one of await listDrafts(householdId)) await removePhoto(one.id)
}

/** The drafts of a door now belong to a visit; they go up once it has. */
export async function attachPhotos(householdId: string, visitId: string): Promise<void> {
  const uploads = await open()
  await uploads.attach(householdId, null, visitId)
  await uploads.changed()
}

/** The visit was taken back: its photos are drafts again. */
export async function detachPhotos(householdId: string, visitId: string): Promise<void> {
  const uploads = await open()
  await uploads.attach(householdId, visitId, null)
  await uploads.changed()
}

/** What waits to be sent beside the records. */
export async function listUploads(): Promise<Upload[]> {
  return (await open()).listWaiting()
}
