/**
 * One import as it goes on at the server: brought, followed until it has settled, read again with another mapping,
 * run for real. Following goes on through a lost connection and says so.
 */
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { problemCode } from '../calls'
import { isUnderWay } from './steps'
import type { Import, ImportCalls, ImportKind, Mapping } from './imports'

/** After this many ms in the queue one is told that nobody takes the job. */
export const LATE_AFTER_MS = 10_000
const FIRST_WAIT_MS = 400
const LONGEST_WAIT_MS = 2_000

export function useImport(calls: ImportCalls) {
  const job = shallowRef<Import | null>(null)
  const error = shallowRef<unknown>(null)
  const isOffline = ref(false)
  const isBusy = ref(false)
  const queuedMs = ref(0)
  let followed = ''
  let timer: ReturnType<typeof setTimeout> | undefined

  const isLate = computed(() => job.value?.status === 'queued' && queuedMs.value >= LATE_AFTER_MS)

  function stop(): void {
    followed = ''
    clearTimeout(timer)
  }
  onScopeDispose(stop)

  /** Forget the import of the moment; it stays at the server. */
  function leave(): void {
    stop()
    job.value = null
    error.value = null
    isOffline.value = false
  }

  /** Read an import, and again until it has settled. */
  async function follow(id: string): Promise<void> {
    if (id !== job.value?.id) leave()
    stop()
    followed = id
    queuedMs.value = 0
    await look(id, FIRST_WAIT_MS)
  }

  async function look(id: string, wait: number): Promise<void> {
    try {
      const found = await calls.get(id)
      if (followed !== id) return
      job.value = found
      isOffline.value = false
      error.value = null
      if (!isUnderWay(found)) return
    } catch (failure) {
      if (followed !== id) return
      if (problemCode(failure) !== 'offline') {
        error.value = failure
        return
      }
      isOffline.value = true
    }
    timer = setTimeout(() => {
      if (job.value?.status === 'queued') queuedMs.value += wait
      void look(id, Math.min(wait * 1.3, LONGEST_WAIT_MS))
    }, wait)
  }

  /** Run one thing at a time; what goes wrong is kept to be shown. */
  async function attempt<T>(work: () => Promise<T>): Promise<T | null> {
    if (isBusy.value) return null
    isBusy.value = true
    error.value = null
    try {
      return await work()
    } catch (failure) {
      error.value = failure
      return null
    } finally {
      isBusy.value = false
    }
  }

  /** Bring a file, of the day that is said or else of when it was last saved; answers the import's id, null when it
   * was not taken. */
  function bring(file: File, kind: ImportKind, communityCode: string | null, day: string): Promise<string | null> {
    return attempt(() => calls.create(file, kind, communityCode, day || new Date(file.lastModified).toISOString()))
  }

  /** Read the same file again with another mapping, or as a file of another day; null leaves either as it is. */
  function readAgain(mapping: Mapping | null, day: string | null = null): Promise<true | null> {
    return attempt(async () => {
      const id = job.value!.id
      await calls.preview(id, mapping, day)
      await follow(id)
      return true as const
    })
  }

  /** Run it for real. */
  function apply(): Promise<true | null> {
    return attempt(async () => {
      const id = job.value!.id
      await calls.apply(id)
      await follow(id)
      return true as const
    })
  }

  return { job, error, isOffline, isBusy, isLate, queuedMs, follow, leave, bring, readAgain, apply }
}
