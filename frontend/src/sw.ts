/**
 * The service worker: keeps the shell, never anything of `/api`; a new version waits until it is asked in.
 *
 * Of the texts behind the sign-in page it keeps the languages this phone speaks, and no others: the page says
 * which (`keepLanguage`), before the worker is installed and whenever another is chosen.
 */
/// <reference lib="webworker" />
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { LANGUAGE_ENTRY, TEXTS_CACHE } from './offline/textsCache'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[] }

const files = self.__WB_MANIFEST as { url: string; revision: string | null }[]
const isText = (url: string) => url.includes('assets/text-')
const texts = files.map((file) => `/${file.url}`).filter(isText)

precacheAndRoute(files.filter((file) => !isText(file.url)))
cleanupOutdatedCaches()
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('index.html'), {
    denylist: [/^\/(api|api-docs|docs|openapi\.json|health|metrics|h\/)/],
  }),
)
registerRoute(
  ({ url }) => isText(url.pathname),
  async ({ request }) => {
    const cache = await caches.open(TEXTS_CACHE)
    const kept = await cache.match(request)
    if (kept) return kept
    const answer = await fetch(request)
    if (answer.ok) await cache.put(request, answer.clone())
    return answer
  },
)

/** Fetch the texts of the language chosen last; those of others stay until the next version. */
async function keepTexts(): Promise<void> {
  const cache = await caches.open(TEXTS_CACHE)
  const language = (await (await cache.match(LANGUAGE_ENTRY))?.text()) ?? 'zh-CN'
  const wanted = texts.filter((url) => url.includes(`/text-${language}-`))
  await Promise.all(wanted.map(async (url) => (await cache.match(url)) ?? (await cache.add(url))))
}

/** Forget the texts of versions before this one. */
async function dropOldTexts(): Promise<void> {
  const cache = await caches.open(TEXTS_CACHE)
  const keys = await cache.keys()
  const old = keys.filter((request) => ![...texts, LANGUAGE_ENTRY].includes(new URL(request.url).pathname))
  await Promise.all(old.map((request) => cache.delete(request)))
}

self.addEventListener('install', (event) => event.waitUntil(keepTexts()))
self.addEventListener('message', (event) => {
  const { type } = (event.data ?? {}) as { type?: string }
  if (type === 'SKIP_WAITING') void self.skipWaiting()
  if (type === 'LANGUAGE') event.waitUntil(keepTexts())
})
self.addEventListener('activate', (event) => event.waitUntil(Promise.all([dropOldTexts(), self.clients.claim()])))
