/**
 * The service worker: keeps the shell, never anything of `/api`; a new version waits until it is asked in. What a version
 * before it has kept stays as long as a tab of then is open, which may still need a part of it for the first time.
 *
 * Of the texts behind the sign-in page it keeps the languages this phone speaks, and no others; of the parts that only
 * doors need, those that the doors of this phone need. The page says which (`keepLanguage`, `keepPart`), before the
 * worker is installed or at any time after.
 */
/// <reference lib="webworker" />
import { cleanupOutdatedCaches, PrecacheController, PrecacheRoute } from 'workbox-precaching'
import type { RouteHandlerCallbackOptions } from 'workbox-core/types.js'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { APART_CACHE, LANGUAGE_ENTRY, partEntry } from './offline/keptApart'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[] }

const files = self.__WB_MANIFEST as { url: string; revision: string | null }[]
const isApart = (url: string) => /assets\/(text|part)-/.test(url)
const apart = files.map((file) => `/${file.url}`).filter(isApart)

const shell = new PrecacheController()
shell.addToCacheList(files.filter((file) => !isApart(file.url)))
registerRoute(new PrecacheRoute(shell))
cleanupOutdatedCaches()

const page = shell.createHandlerBoundToURL('index.html')

/** What a page behind the sign-in draws its first screen with, by the beginning of its files' names. */
const SCREEN = /assets\/(rolldown-runtime|engine|kit|Beside)-/
const SCREENS: [RegExp, RegExp][] = [
  [/^\/(today)?$/, /assets\/Today-/],
  [/^\/doors/, /assets\/(doorlist|forms)-/],
]

/** The page, with its first screen's files named in its head: they are fetched beside the first script instead of after it. */
async function openPage(options: RouteHandlerCallbackOptions): Promise<Response> {
  const [kept, language] = await Promise.all([page(options), keptLanguage()])
  const { pathname } = options.url
  const own = SCREENS.find(([path]) => path.test(pathname))?.[1]
  const links = files
    .filter(({ url }) => SCREEN.test(url) || own?.test(url) || (url.includes(`/text-${language}-`) && !url.includes('rare')))
    .map(({ url }) => (url.endsWith('.css') ? `<link rel="stylesheet" crossorigin href="/${url}">` : `<link rel="modulepreload" crossorigin href="/${url}">`))
  const { status, statusText, headers } = kept
  return new Response((await kept.text()).replace('</head>', `${links.join('')}</head>`), { status, statusText, headers })
}

registerRoute(
  new NavigationRoute(openPage, {
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

// of an earlier version, for a tab that is still open; what was not kept the service may have
registerRoute(
  ({ url }) => url.pathname.startsWith('/assets/'),
  async ({ request }) => (await caches.match(request)) ?? fetch(request),
)

/** The language chosen last. */
async function keptLanguage(): Promise<string> {
  return (await (await (await caches.open(APART_CACHE)).match(LANGUAGE_ENTRY))?.text()) ?? 'zh-CN'
}

/** Fetch the texts of the language chosen last, and the parts asked for; those of others stay until the next version. */
async function keepApart(): Promise<void> {
  const cache = await caches.open(APART_CACHE)
  const language = await keptLanguage()
  const paths = new Set((await cache.keys()).map((request) => new URL(request.url).pathname))
  const wanted = apart.filter((url) => url.includes(`/text-${language}-`) || paths.has(partEntry(/part-([a-z]+)/.exec(url)?.[1] ?? '')))
  // all or none: a part whose style is missing cannot be drawn
  await cache.addAll(wanted.filter((url) => !paths.has(url)))
}

/** The tabs that were open when a version took over, by their ids, each a page of an earlier one. */
const OLD_TABS = '/old-tabs'

/** Forget what belongs to versions before this one, unless a tab of one of them is still open. */
async function dropOld(event: ExtendableEvent, isTakingOver: boolean): Promise<void> {
  const cache = await caches.open(APART_CACHE)
  const known = (await (await cache.match(OLD_TABS))?.json()) as string[] | undefined
  if (!known && !isTakingOver) return
  const open = (await self.clients.matchAll({ type: 'window', includeUncontrolled: true })).map(({ id }) => id)
  const old = isTakingOver ? open : open.filter((id) => known!.includes(id))
  if (old.length) return cache.put(OLD_TABS, new Response(JSON.stringify(old)))
  await cache.delete(OLD_TABS)
  void shell.activate(event)
  const keys = await cache.keys()
  const isOld = (path: string) => path.startsWith('/assets/') && !apart.includes(path)
  await Promise.all(keys.filter((request) => isOld(new URL(request.url).pathname)).map((request) => cache.delete(request)))
}

self.addEventListener('install', (event) => {
  void shell.install(event)
  event.waitUntil(keepApart())
})
self.addEventListener('message', (event) => {
  const { type } = (event.data ?? {}) as { type?: string }
  if (type === 'SKIP_WAITING') void self.skipWaiting()
  // said by every page once it stands: the moment to see which tabs are left
  if (type === 'KEEP') event.waitUntil(Promise.all([keepApart(), dropOld(event, false)]))
})
self.addEventListener('activate', (event) => event.waitUntil(dropOld(event, true).then(() => self.clients.claim())))
