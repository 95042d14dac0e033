import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import { OfflineError, ProblemError } from '../../src/offline'
import type { Import, ImportCalls } from '../../src/wide/import/imports'
import { LATE_AFTER_MS, useImport } from '../../src/wide/import/useImport'

type Status = Import['status']

/** A server whose import stands where the test says. */
function server() {
  const state = { status: 'queued' as Status, answers: 0, refuse: null as Error | null, done: [] as string[] }
  const calls = {
    create: () => Promise.resolve('one'),
    get(id: string) {
      state.answers += 1
      if (state.refuse) return Promise.reject(state.refuse)
      return Promise.resolve({ id, status: state.status, kind: 'roster' } as Import)
    },
    preview: (id: string) => Promise.resolve(void state.done.push(`preview ${id}`)),
    apply: (id: string) => Promise.resolve(void state.done.push(`apply ${id}`)),
  }
  return { state, calls: calls as unknown as ImportCalls }
}

let scope: EffectScope
beforeEach(() => {
  vi.useFakeTimers()
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})
const begin = (calls: ImportCalls) => scope.run(() => useImport(calls))!

describe('following an import', () => {
  it('looks again until it has settled, then stops asking', async () => {
    const { state, calls } = server()
    const one = begin(calls)
    await one.follow('one')
    expect(one.job.value?.status).toBe('queued')
    state.status = 'running'
    await vi.advanceTimersByTimeAsync(3_000)
    expect(one.job.value?.status).toBe('running')
    state.status = 'previewed'
    await vi.advanceTimersByTimeAsync(3_000)
    expect(one.job.value?.status).toBe('previewed')
    const asked = state.answers
    await vi.advanceTimersByTimeAsync(60_000)
    expect(state.answers).toBe(asked)
  })

  it('says when nobody takes the job, and no longer once somebody has', async () => {
    const { state, calls } = server()
    const one = begin(calls)
    await one.follow('one')
    expect(one.isLate.value).toBe(false)
    await vi.advanceTimersByTimeAsync(LATE_AFTER_MS + 3_000)
    expect(one.isLate.value).toBe(true)
    state.status = 'running'
    await vi.advanceTimersByTimeAsync(3_000)
    expect(one.isLate.value).toBe(false)
  })

  it('goes on through a lost connection and says so', async () => {
    const { state, calls } = server()
    const one = begin(calls)
    await one.follow('one')
    state.refuse = new OfflineError()
    await vi.advanceTimersByTimeAsync(3_000)
    expect([one.isOffline.value, one.job.value?.id]).toEqual([true, 'one'])
    state.refuse = null
    state.status = 'done'
    await vi.advanceTimersByTimeAsync(3_000)
    expect([one.isOffline.value, one.job.value?.status]).toEqual([false, 'done'])
  })

  it('stops at a refusal, such as an import of somebody else', async () => {
    const { state, calls } = server()
    state.refuse = new ProblemError(404, 'not_found', 'Not found')
    const one = begin(calls)
    await one.follow('one')
    expect(one.error.value).toBe(state.refuse)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(state.answers).toBe(1)
  })

  it('drops an answer about an import that was left', async () => {
    const { calls } = server()
    const one = begin(calls)
    const following = one.follow('one')
    one.leave()
    await following
    expect(one.job.value).toBeNull()
  })
})

describe('doing something with it', () => {
  it('is done once, however often the button is pressed', async () => {
    const { state, calls } = server()
    state.status = 'previewed'
    const one = begin(calls)
    await one.follow('one')
    await Promise.all([one.apply(), one.apply()])
    expect(state.done).toEqual(['apply one'])
    expect(await one.readAgain({ D: 'name' })).toBe(true)
    expect(state.done).toEqual(['apply one', 'preview one'])
  })
})
