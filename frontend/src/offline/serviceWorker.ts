/** The service worker's registration: a new version waits and says so; it takes over only when asked. */
import { APART_CACHE, LANGUAGE_ENTRY, partEntry, type Part } from './keptApart'

let waiting: ServiceWorker | null = null
const canWork = () => 'serviceWorker' in navigator && isSecureContext

async function keep(entry: string, value: string): Promise<void> {
  if (!canWork()) return
  try {
    await (await caches.open(APART_CACHE)).put(entry, new Response(value))
  } catch {
    // a full disk: it is then fetched when it is needed
  }
  // at a first visit it is still being installed, and may have looked before this was said
  void navigator.serviceWorker.ready.then(({ active }) => active?.postMessage({ type: 'KEEP' }))
}

/** Have the texts of a language kept on this phone, by the worker there is and by those to come. */
export const keepLanguage = (language: string): Promise<void> => keep(LANGUAGE_ENTRY, language)

const keptParts = new Set<Part>()

/** Have a part kept that this phone needs from now on, as its texts are. */
export async function keepPart(part: Part): Promise<void> {
  if (keptParts.has(part)) return
  keptParts.add(part)
  await keep(partEntry(part), '')
}

/** Register, and call back when a new version is ready to take over. */
export function registerServiceWorker(onUpdate: () => void): void {
  if (!canWork()) return
  void navigator.serviceWorker.register('/sw.js', { type: 'classic' }).then((registration) => {
    const ready = (): void => {
      if (!registration.waiting || !navigator.serviceWorker.controller) return
      waiting = registration.waiting
      onUpdate()
    }
    // the browser looks for a new version by itself when a page opens: on a thin line it is coming in already
    const follow = (): void => registration.installing?.addEventListener('statechange', ready)
    ready()
    follow()
    registration.addEventListener('updatefound', follow)
    setInterval(() => void registration.update().catch(() => undefined), 3_600_000)
  })
}

/** Let the new version take over and reload into it. */
export function applyUpdate(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  waiting?.postMessage({ type: 'SKIP_WAITING' })
}
