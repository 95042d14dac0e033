/** The shape of a part of the desk: its place in the rail and its routes. */
import type { RouteRecordRaw } from 'vue-router'
import type { RailKey } from './texts'

declare module 'vue-router' {
  interface RouteMeta {
    /** the path of the part's first page: where one is when another division is chosen */
    home?: string
  }
}

export interface DeskPart {
  /** the rail's word is `rail.<id>`, its place `/desk/<id>` */
  id: RailKey
  icon: string
  /** paths relative to `/desk/<id>`; the first is the part's own page and has the path "" */
  routes: RouteRecordRaw[]
}

interface LazyTexts {
  load: () => Promise<void>
}

/** A page whose words are there before it is drawn. */
export function withTexts<T>(texts: LazyTexts, load: () => Promise<T>): () => Promise<T> {
  return async () => (await Promise.all([load(), texts.load()]))[0]
}
