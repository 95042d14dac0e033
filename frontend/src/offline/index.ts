/** The engine as the screens use it: one for the page, wired to the browser. */
import { Engine, type EngineOptions } from './engine'

export * from './types'
export { Engine, UnsentError, shanghaiDay } from './engine'
export type { EngineOptions, Uploads } from './engine'

/** The browser's engine. */
export function createEngine(language: () => string, openUploads: EngineOptions['openUploads']): Engine {
  return new Engine({
    baseUrl: '',
    fetch: (input, init) => fetch(input, init),
    locks: 'locks' in navigator ? navigator.locks : null,
    now: () => Date.now(),
    random: () => Math.random(),
    databasePrefix: 'pioneer',
    deviceName: navigator.userAgent.slice(0, 100),
    language,
    openUploads,
    timeoutMs: 30_000,
    undoMs: 5000,
    later: (work, ms) => {
      const timer = setTimeout(work, ms)
      return () => clearTimeout(timer)
    },
    report: (error) => console.error(error),
    channel: 'BroadcastChannel' in globalThis ? new BroadcastChannel('pioneer') : null,
  })
}

/** Sync at start, when the network or the page comes back, and each minute while it is seen. */
export function watchBrowser(engine: Engine): void {
  const soon = (): void => engine.syncSoon(100)
  addEventListener('online', soon)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') soon()
  })
  setInterval(() => {
    if (document.visibilityState === 'visible' && engine.session) engine.syncSoon(0)
  }, 60_000)
  soon()
}
