/**
 * The desk, for windows from 1024 px: loaded when somebody with a desk role goes there, never precached on
 * phones. Without a network it is not there; the phone's pages are.
 */
import type { RouteRecordRaw } from 'vue-router'
import { withTexts } from './pages'
import { parts } from './parts'
import { frameTexts } from './texts'

export const routes: RouteRecordRaw[] = [
  {
    path: '/desk',
    component: withTexts(frameTexts, () => import('./Desk.vue')),
    redirect: (to) => ({ path: `/desk/${parts[0]!.id}`, query: to.query }),
    children: parts.flatMap((part) =>
      part.routes.map((route) => ({ ...route, path: `${part.id}${route.path && `/${route.path}`}`, meta: { ...route.meta, home: `/desk/${part.id}` } }) as RouteRecordRaw),
    ),
  },
]
