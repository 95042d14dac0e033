/**
 * The page's one engine. Screens read from it and write to it; it alone talks to the server. What is in the
 * first load must not import this file but ask `loadEngine` of `status.ts`.
 */
import { createEngine, watchBrowser } from '../offline'
import { language } from './i18n'

export const engine = createEngine(
  () => language.value,
  async (opened) => (await import('../uploads/store')).Uploads.open(opened),
)

/** Sync with the browser's events from now on. */
export function startEngine(): void {
  watchBrowser(engine)
}
