/**
 * Every page and where it is. Pages are lazy, except the first that anybody sees; the desk's pages live in `src/wide` and are only fetched by
 * those who go there.
 */
import { watch } from 'vue'
import { createRouter, createWebHistory, START_LOCATION, type RouteRecordRaw } from 'vue-router'
import { deskGrants, openSession, session, wasSignedIn } from '../auth/session'
import SignIn from '../auth/SignIn.vue'
import { openInside } from './inside'
import { loadTexts } from './i18n'

declare module 'vue-router' {
  interface RouteMeta {
    /** may be seen without being signed in */
    isPublic?: boolean
    /** has the tabs at the bottom */
    tabs?: boolean
    /** is part of the desk, for wide screens */
    isWide?: boolean
  }
}

/** From this width on (px) somebody with a desk role starts at the desk. */
export const DESK_WIDTH = 1024

const routes: RouteRecordRaw[] = [
  { path: '/', component: { render: () => null } },
  { path: '/today', component: () => import('../doors/Today.vue'), meta: { tabs: true } },
  { path: '/doors', component: () => import('../doors/Doors.vue'), meta: { tabs: true } },
  { path: '/posts', component: () => import('../posts/Posts.vue'), meta: { tabs: true } },
  { path: '/me', component: () => import('../me/Me.vue'), meta: { tabs: true } },
  { path: '/stair/:id', component: () => import('../screening/Stair.vue'), props: true },
  { path: '/door/:id', component: () => import('../screening/Door.vue'), props: true },
  { path: '/care/:id', component: () => import('../care/CareVisit.vue'), props: true },
  { path: '/household/:id', component: () => import('../people/page').then((people) => people.openHousehold()), props: true },
  { path: '/walk-sheet', component: () => import('../walksheets/page').then((sheets) => sheets.openPrint()) },
  { path: '/sheets/:id', component: () => import('../walksheets/page').then((sheets) => sheets.openEntry()), props: true },
  { path: '/devices', component: () => import('../devices/page').then((devices) => devices.openDevices()) },
  { path: '/outbox', component: () => import('../me/Outbox.vue') },
  { path: '/sign-in', component: SignIn, meta: { isPublic: true } },
  { path: '/invitation', component: () => import('../auth/Invitation.vue'), meta: { isPublic: true } },
  { path: '/password', component: () => import('../auth/ChangePassword.vue') },
  { path: '/desk/:rest(.*)*', name: 'desk', component: { render: () => null }, meta: { isWide: true } },
  { path: '/:rest(.*)*', redirect: '/' },
]

export const router = createRouter({
  history: createWebHistory(),
  routes,
  // the first page is at its top already, and asking costs a layout
  scrollBehavior: (_to, from, saved) => saved ?? (from === START_LOCATION ? false : { top: 0 }),
})

/** Begin to fetch the page that the address names, and all that stands beside it, while the database is being opened. */
export function fetchAhead(): void {
  void openInside().catch(() => undefined)
  for (const { components } of router.resolve(location.pathname).matched) {
    const page = components?.default
    // a page that is not there fails when it is opened, and says so
    if (typeof page === 'function') void (page as () => Promise<unknown>)().catch(() => undefined)
  }
}

/** The desk's entry: `src/wide/index.ts` exports `routes`, all of them under `/desk`. */
const loadDesk = import.meta.glob<{ routes: RouteRecordRaw[] }>('../wide/index.ts')['../wide/index.ts']
let areDeskRoutesHere = false

/** Fetch the desk and put its routes in place of the placeholder. */
async function addDeskRoutes(): Promise<void> {
  const { routes: wide } = await loadDesk!()
  router.removeRoute('desk')
  for (const route of wide) router.addRoute({ ...route, meta: { ...route.meta, isWide: true } })
  areDeskRoutesHere = true
}

function isDeskFirst(): boolean {
  return deskGrants.value.length > 0 && innerWidth >= DESK_WIDTH
}

router.beforeEach(async (to) => {
  // a QR invitation leads to any page with ?invitation=CODE
  if (to.query.invitation) return { path: '/invitation', query: { code: to.query.invitation } }
  if (wasSignedIn()) await openSession()
  if (to.path === '/sign-in') return true
  if (to.meta.isPublic) {
    await loadTexts()
    return true
  }
  if (!session.value) return { path: '/sign-in', query: to.path === '/' ? {} : { then: to.fullPath } }
  if (session.value.mustChangePassword && to.path !== '/password') return '/password'
  // only now is it known who this is: a redirect in the table of routes would be taken before the session is open
  if (to.path === '/') return isDeskFirst() ? '/desk' : '/today'
  if (to.meta.isWide && !deskGrants.value.length) return '/today'
  await openInside()
  if (to.meta.isWide && !areDeskRoutesHere && loadDesk) {
    await addDeskRoutes()
    return to.fullPath
  }
  return true
})

/** What happens to the session while a page stands: it is ended from elsewhere, or its password reset. */
watch(session, (now, before) => {
  const here = router.currentRoute.value
  if (!now && before && !here.meta.isPublic) void router.replace('/sign-in')
  if (now?.mustChangePassword && before && here.path !== '/password') void router.replace('/password')
})
