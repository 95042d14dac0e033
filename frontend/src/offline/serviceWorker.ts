/** The service worker's registration: a new version waits and says so; it takes over only when asked. */
let waiting: ServiceWorker | null = null

/** Register, and call back when a new version is ready to take over. */
export function registerServiceWorker(onUpdate: () => void): void {
  if (!('serviceWorker' in navigator) || !isSecureContext) return
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
