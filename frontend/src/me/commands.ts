/** What a person can do about the records of this phone. */
import { engine } from '../app/engine'
import { today } from '../app/days'
import { unsentFile, type UnsentFile } from './unsent'

/** Sync now; false when the server could not be reached. */
export async function syncNow(): Promise<boolean> {
  await engine.sync()
  return engine.status.online && !engine.status.signInNeeded
}

/** Send a rejected record again. */
export async function retryRecord(id: string): Promise<void> {
  await engine.retry(id)
}

/** Give a rejected record up. */
export async function discardRecord(id: string): Promise<void> {
  await engine.discard(id)
}

/** All unsent records as a file's name and content, and how many they are. */
export async function exportUnsent(): Promise<UnsentFile & { name: string }> {
  return { name: `pioneer-unsent-${engine.session?.login ?? ''}-${today()}.json`, ...(await unsentFile(engine, Date.now())) }
}
