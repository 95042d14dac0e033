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

/** All unsent records as a file, and how many they are; `sealed` for the service alone, null where that cannot be done. */
export async function exportUnsent(): Promise<UnsentFile & { name: string; sealed: BlobPart | null }> {
  const file = await unsentFile(engine, Date.now())
  const key = await engine.fileKey()
  // no WebCrypto without https, no key before the first contact, the code perhaps not on this phone
  const sealed = file.content && key ? await import('../uploads/seal').then(({ seal }) => seal(file.content, key)).catch(() => null) : null
  return { ...file, sealed, name: `pioneer-unsent-${engine.session?.login ?? ''}-${today()}.${sealed ? 'sealed' : 'json'}` }
}
