/**
 * The service worker: keeps the shell, never anything of `/api`; a new version waits until it is asked in.
 *
 * Of the texts behind the sign-in page it keeps the languages this phone speaks, and no others; of the parts that only
 * doors need, those that the doors of this phone need. The page says which (`keepLanguage`, `keepPart`), before the
 * worker is installed or at any time after.
 */
/// <reference lib="webworker" />
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { APART_CACHE, LANGUAGE_ENTRY, partEntry } from './offline/keptApart'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[] }

const files = self.__WB_MANIFEST as { url: string; revision: string | null }[]
const isApart = (url: string) => /assets\/(text|part)-/.test(url)
const apart = files.map((file) => `/${file.url}`).filter(isApart)

precacheAndRoute(files.filter((file) => !isApart(file.url)))
cleanupOutdatedCaches()
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('index.html'), {
    denylist: [/^\/(api|api-docs|docs|openapi\.json|health|metrics|h\/)/],
  }),
)
registerRoute(
  ({ url }) => isApart(url.pathname),
  async ({ request }) => {
    const cache = await caches.open(APART_CACHE)
    const kept = await cache.match(request)
    if (kept) return kept
    const answer = await fetch(request)
    if (answer.ok) await cache.put(request, answer.clone())
    return answer
  },
)

/** Fetch the texts of the language chosen last, and the parts asked for; those of others stay until the next version. */
async function keepApart(): Promise<void> {
  const cache = await caches.open(APART_CACHE)
  const language = (await (await cache.match(LANGUAGE_ENTRY))?.text()) ?? 'zh-CN'
  const asked = new Set((await cache.keys()).map((request) => new URL(request.url).pathname))
  const wanted = apart.filter((url) => url.includes(`/text-${language}-`) || asked.has(partEntry(/part-([a-z]+)/.exec(url)?.[1] ?? '')))
  await Promise.all(wanted.map(async (url) => (await cache.match(url)) ?? (await cache.add(url))))
}

/** Forget what belongs to versions before this one. */
async function dropOld(): Promise<void> {
  const cache = await caches.open(APART_CACHE)
  const keys = await cache.keys()
  const isOld = (path: string) => path.startsWith('/assets/') && !apart.includes(path)
  const old = keys.filter((request) => isOld(new URL(request.url).pathname))
  await Promise.all(old.map((request) => cache.delete(request)))
}

self.addEventListener('install', (event) => event.waitUntil(keepApart()))
self.addEventListener('message', (event) => {
  const { type } = (event.data ?? {}) as { type?: string }
  if (type === 'SKIP_WAITING') void self.skipWaiting()
  if (type === 'KEEP') event.waitUntil(keepApart())
})
self.addEventListener('activate', (event) => event.waitUntil(Promise.all([dropOld(), self.clients.claim()])))
