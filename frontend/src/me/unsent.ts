/** Unsent records as a file, for a phone that will not get through any more. */
import type { Engine } from '../offline'
import { clockErrorOf } from '../offline/sync'

/** All of them as JSON, as a push would send them, with whose they are. */
export async function unsentFile(engine: Engine, now: number): Promise<string> {
  const commands = (await engine.listOutbox()).map((item) => ({
    id: item.id,
    name: item.name,
    recorded_at: item.recordedAt,
    epoch: item.epoch,
    community_code: item.communityCode,
    clock_error_s: clockErrorOf(item),
    payload: item.payload,
  }))
  return JSON.stringify({ device_id: await engine.deviceId(), account: engine.session?.login, exported_at: new Date(now).toISOString(), commands }, null, 1)
}
