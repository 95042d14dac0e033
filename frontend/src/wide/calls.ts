/**
 * The desk's way to the server. It has no copy of anything: what it shows was asked for just now, and what
 * cannot be asked is said. Calls go over the session of the app, so tokens are renewed in one place.
 */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from 'vue'
import { engine } from '../app/engine'
import { codeText, problemCode } from '../app/problems'
import { OfflineError, ProblemError } from '../offline'
import type { components } from '../api/types'

/** Shapes of the API by name: `Schema<'HouseholdRead'>`. */
export type Schema<N extends keyof components['schemas']> = components['schemas'][N]

/** Every call, typed; throws `OfflineError` and `ProblemError`. */
export const api = engine.api

/** What a call answered with a body. */
export async function call<T>(asked: Promise<{ data?: T }>): Promise<T> {
  return (await asked).data as T
}

/** What a form lacks, in the reader's words: thrown before anything is sent. */
export class Incomplete extends Error {
  override name = 'Incomplete'
}

/** The sentence for a failure: the server's own, which knows more, or ours. A fault of our own goes to the console. */
export function problemText(error: unknown): string {
  if (error instanceof Incomplete) return error.message
  if (!(error instanceof ProblemError || error instanceof OfflineError)) console.error(error)
  if (error instanceof ProblemError && error.status < 500 && error.title) return error.title
  return codeText(problemCode(error))
}

/** Sentences by the field they are about, from a refused form; `""` holds what is about no field. */
export function fieldProblems(error: unknown): Record<string, string> {
  const found: Record<string, string> = {}
  if (error instanceof ProblemError) for (const one of error.errors) found[one.field ?? ''] ??= one.message
  return found
}

export { problemCode }

export interface Loaded<T> {
  /** null until the first answer; the last good answer stays while a new one is on its way */
  data: ShallowRef<T | null>
  /** the sentence for what went wrong, or "" */
  problem: Ref<string>
  isBusy: Ref<boolean>
  reload: () => Promise<void>
}

/**
 * Ask at once and again whenever what is watched changes. An answer to an earlier question that comes late is
 * dropped; when the question changes, what was answered before goes, so that no figure stands under a wrong name.
 */
export function useLoad<T>(ask: () => Promise<T>, watched?: WatchSource<unknown>): Loaded<T> {
  const data = shallowRef<T | null>(null)
  const problem = ref('')
  const isBusy = ref(false)
  let asked = 0

  async function reload(): Promise<void> {
    const mine = ++asked
    isBusy.value = true
    try {
      const answer = await ask()
      if (mine !== asked) return
      data.value = answer
      problem.value = ''
    } catch (error) {
      if (mine === asked) problem.value = problemText(error)
    } finally {
      if (mine === asked) isBusy.value = false
    }
  }
  if (watched) {
    watch(watched, () => {
      data.value = null
      void reload()
    })
  }
  onScopeDispose(() => (asked = -1))
  void reload()
  return { data, problem, isBusy, reload }
}

const LIVE_MS = 60_000

/** Ask again every minute while somebody looks, and at once when they come back after longer; never behind their back. */
export function useLive(reload: () => Promise<void>): void {
  let at = Date.now()
  function look(): void {
    if (document.visibilityState !== 'visible' || Date.now() - at < LIVE_MS) return
    at = Date.now()
    void reload()
  }
  const timer = setInterval(look, LIVE_MS / 4)
  document.addEventListener('visibilitychange', look)
  onScopeDispose(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
  })
}

export interface Sending {
  /** sentences by the field they are about, as the server gave them or a form's own check put them there */
  wrong: Ref<Record<string, string>>
  /** the sentence for what went wrong, or "" */
  problem: Ref<string>
  isBusy: Ref<boolean>
  /** do what a form or a button is for; a failure of it is in `problem` and `wrong`, not thrown */
  send: (work: () => Promise<void>) => Promise<void>
}

/** Something that is sent when somebody says so: busy while it is on its way, and what came of it by field. */
export function useSending(): Sending {
  const wrong = ref<Record<string, string>>({})
  const problem = ref('')
  const isBusy = ref(false)

  async function send(work: () => Promise<void>): Promise<void> {
    isBusy.value = true
    problem.value = ''
    wrong.value = {}
    try {
      await work()
    } catch (error) {
      wrong.value = fieldProblems(error)
      problem.value = problemText(error)
    } finally {
      isBusy.value = false
    }
  }
  return { wrong, problem, isBusy, send }
}

export interface Pages<T> {
  items: ShallowRef<T[] | null>
  hasMore: Ref<boolean>
  problem: Ref<string>
  isBusy: Ref<boolean>
  /** fetch the next page and put it behind the others */
  more: () => Promise<void>
  reload: () => Promise<void>
}

/** A list that comes in pages; asked anew from the first page when what is watched changes. */
export function usePages<T>(
  ask: (cursor: string | null) => Promise<{ items: T[]; next_cursor?: string | null }>,
  watched?: WatchSource<unknown>,
): Pages<T> {
  const items = shallowRef<T[] | null>(null)
  const hasMore = ref(false)
  const problem = ref('')
  const isBusy = ref(false)
  let cursor: string | null = null
  let asked = 0

  async function fetchPage(from: string | null): Promise<void> {
    const mine = ++asked
    isBusy.value = true
    try {
      let answer = await ask(from)
      // a page may be empty and have a next one
      while (mine === asked && !answer.items.length && answer.next_cursor) answer = await ask(answer.next_cursor)
      if (mine !== asked) return
      items.value = from ? [...(items.value ?? []), ...answer.items] : answer.items
      cursor = answer.next_cursor ?? null
      hasMore.value = cursor !== null
      problem.value = ''
    } catch (error) {
      if (mine === asked) problem.value = problemText(error)
    } finally {
      if (mine === asked) isBusy.value = false
    }
  }
  const reload = (): Promise<void> => fetchPage(null)
  async function more(): Promise<void> {
    if (cursor && !isBusy.value) await fetchPage(cursor)
  }
  if (watched) {
    watch(watched, () => {
      items.value = null
      hasMore.value = false
      void reload()
    })
  }
  onScopeDispose(() => (asked = -1))
  void reload()
  return { items, hasMore, problem, isBusy, more, reload }
}
