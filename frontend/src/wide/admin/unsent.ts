/** A file of unsent records, brought in pieces that the server takes. */
import type { Schema } from '../calls'

type Piece = Required<Schema<'UnsentFile'>>
type Answer = Schema<'UnsentOut'>

/** as many as the server takes at once; of photos as many as make a request of some megabytes */
const RECORDS = 2000
const PHOTOS = 8

/** Its records first, then its photos. */
export function piecesOf({ commands, photos = [], ...head }: Schema<'UnsentFile'>): Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < commands.length; at += RECORDS) pieces.push({ ...head, commands: commands.slice(at, at + RECORDS), photos: [] })
  for (let at = 0; at < photos.length; at += PHOTOS) pieces.push({ ...head, commands: [], photos: photos.slice(at, at + PHOTOS) })
  return pieces
}

function added<K extends string>(one: Record<K, number>, other: Record<K, number>): Record<K, number> {
  return Object.fromEntries(Object.entries(one).map(([key, count]) => [key, (count as number) + other[key as K]])) as Record<K, number>
}

/** What became of the whole file: `before` of its pieces so far, `now` of the next one; numbers count through the file. */
export function together(before: Answer | null, now: Answer, pieces: Piece[]): Answer {
  if (!before) return now
  const records = pieces.reduce((n, piece) => n + piece.commands.length, 0)
  const photos = pieces.reduce((n, piece) => n + piece.photos.length, 0)
  return {
    ...now,
    counts: added(before.counts as Record<string, number>, now.counts as Record<string, number>) as Answer['counts'],
    left: [...before.left, ...now.left.map((one) => ({ ...one, number: one.number + records }))],
    photo_counts: added(before.photo_counts as Record<string, number>, now.photo_counts as Record<string, number>) as Answer['photo_counts'],
    photos_left: [...before.photos_left, ...now.photos_left.map((one) => ({ ...one, number: one.number + photos }))],
  }
}
