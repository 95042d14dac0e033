/** The service worker's registration: a new version waits and says so; it takes over only when asked. */
import { LANGUAGE_ENTRY, TEXTS_CACHE } from './textsCache'

let waiting: ServiceWorker | null = null
const canWork = () => 'serviceWorker' in navigator && isSecureContext

/** Have the texts of a language kept on this phone, by the worker there is and by those to come. */
export async function keepLanguage(language: string): Promise<void> {
  if (!canWork()) return
  try {
    await (await caches.open(TEXTS_CACHE)).put(LANGUAGE_ENTRY, new Response(language))
  } catch {
    // a full disk: the texts are then fetched when they are needed
  }
  navigator.serviceWorker.controller?.postMessage({ type: 'LANGUAGE' })
}

/** Register, and call back when a new version is ready to take over. */
export function registerServiceWorker(onUpdate: () => void): void {
  if (!canWork()) return
  const ready = (worker: ServiceWorker | null): void => {
    if (!worker || !navigator.serviceWorker.controller) return
    waiting = worker
    onUpdate()
  }
  void navigator.serviceWorker.register('/sw.js', { type: 'classic' }).then((registration) => {
    ready(registration.waiting)
    registration.addEventListener('updatefound', () => {
      const worker = registration.installing
      worker?.addEventListener('statechange', () => {
        if (worker.state === 'installed') ready(worker)
      })
    })
    setInterval(() => void registration.update().catch(() => undefined), 3_600_000)
  })
}

/** Let the new version take over and reload into it. */
export function applyUpdate(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  waiting?.postMessage({ type: 'SKIP_WAITING' })
}
