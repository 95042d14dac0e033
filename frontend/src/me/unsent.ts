/** Unsent records as a file, for a phone that will not get through any more. */
import type { Engine } from '../offline'
import { clockErrorOf } from '../offline/sync'

/** Bytes of pictures in one file: what a phone can write at once and a chat will carry. */
const MOST_PICTURES = 20_000_000

export interface UnsentFile {
  count: number
  photos: number
  /** what waits beside the records and is not in the file */
  left: number
  /** JSON; "" when there is nothing */
  content: string
}

/** All of them as JSON, as a push would send them, with whose they are, and the photos that wait beside them. */
export async function unsentFile(engine: Engine, now: number): Promise<UnsentFile> {
  const commands = (await engine.listOutbox()).map((item) => ({
    id: item.id,
    name: item.name,
    recorded_at: item.recordedAt,
    epoch: item.epoch,
    community_code: item.communityCode,
    clock_error_s: clockErrorOf(item),
    payload: item.payload,
  }))
  const { uploads } = engine.status
  // their code may be out of reach: the records go all the same
  const { photos } = uploads ? await engine.openUploads().then((open) => open.listForFile(MOST_PICTURES), () => ({ photos: [] })) : { photos: [] }
  const file = { device_id: await engine.deviceId(), account: engine.session?.login, exported_at: new Date(now).toISOString(), commands, photos }
  const count = commands.length
  return { count, photos: photos.length, left: uploads - photos.length, content: count || photos.length ? JSON.stringify(file, null, 1) : '' }
}
