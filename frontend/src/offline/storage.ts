/** What the browser says about keeping what is stored here. */
import type { StorageState } from './types'

/** Whether the browser will keep the phone's records when space runs short, and how much there is. */
export async function storageState(): Promise<StorageState | null> {
  if (!('storage' in navigator)) return null
  const { usage = 0, quota = 0 } = await navigator.storage.estimate()
  return { persisted: await navigator.storage.persisted(), usage, quota }
}

/** Whether the browser keeps them when space runs short; null where it does not say. */
export async function isKept(): Promise<boolean | null> {
  return (await navigator.storage?.persisted?.()) ?? null
}

/** Ask the browser to keep them. */
export async function askToPersist(): Promise<boolean> {
  return 'storage' in navigator && (await navigator.storage.persist())
}
