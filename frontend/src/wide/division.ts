/**
 * The division everything on the desk is about. It stands in the address as `area=CODE`, so that a page can be
 * sent to somebody; without it the person's own (widest) division is meant.
 */
import { computed, inject, provide, type ComputedRef, type InjectionKey } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'
import { deskGrants } from '../auth/session'
import { api, call, useLoad, type Loaded, type Schema } from './calls'
import { covers, isCode, LEVELS, levelOf, type Level } from './codes'

type Division = Schema<'DivisionWithAncestors'>

export interface DeskDivision {
  code: ComputedRef<string>
  level: ComputedRef<Level>
  isCommunity: ComputedRef<boolean>
  /** the division with the path to it, once asked */
  found: Loaded<Division>
  /** the same page about another division */
  go: (code: string, query?: LocationQueryRaw) => Promise<unknown>
  /** a page of the desk about this division */
  linkTo: (path: string, query?: LocationQueryRaw) => { path: string; query: LocationQueryRaw }
  /** whether the desk has a page, such as `/desk/areas` */
  hasPage: (path: string) => boolean
}

const KEY: InjectionKey<DeskDivision> = Symbol('desk division')

/** One's own widest division. */
export function ownDivision(): string {
  const codes = deskGrants.value.map((grant) => grant.division_code)
  return codes.sort((a, b) => LEVELS.indexOf(levelOf(a)) - LEVELS.indexOf(levelOf(b)) || a.localeCompare(b))[0] ?? ''
}

/** Whether one may go to a division: it lies in a division of one's grants. */
export function isMine(code: string): boolean {
  return deskGrants.value.some((grant) => covers(grant.division_code, code))
}

/** Whether one works at a division's desk and may change things there; a viewer only reads. */
export function isDesk(code: string): boolean {
  return deskGrants.value.some((grant) => grant.role !== 'viewer' && covers(grant.division_code, code))
}

/** Whether one's task may be a single person's number: the committee and the street, as `app/privacy` decides. */
export function isNear(code: string): boolean {
  return deskGrants.value.some((grant) => (grant.role === 'committee' || grant.role === 'street') && covers(grant.division_code, code))
}

/** Whether a community is one's own committee's, whose households one sees each. */
export function isCommittee(code: string): boolean {
  return deskGrants.value.some((grant) => grant.role === 'committee' && covers(grant.division_code, code))
}

/** Set up by the shell, for all pages in it. */
export function provideDivision(): DeskDivision {
  const route = useRoute()
  const router = useRouter()
  const code = computed(() => {
    const asked = String(route.query.area ?? '')
    return isCode(asked) ? asked : ownDivision()
  })
  const level = computed(() => levelOf(code.value))
  const found = useLoad(() => call(api.GET('/api/v1/areas/{code}', { params: { path: { code: code.value } } })), code)
  const division: DeskDivision = {
    code,
    level,
    isCommunity: computed(() => level.value === 'community'),
    found,
    // what else the address holds (a round, a filter, an opened door) was about the division before
    go: (next, query = {}) => router.push({ path: route.meta.home ?? route.path, query: { ...query, area: next } }),
    linkTo: (path, query = {}) => ({ path, query: { ...query, area: code.value } }),
    hasPage: (path) => router.getRoutes().some((record) => record.path === path),
  }
  provide(KEY, division)
  return division
}

/** The chosen division, in any page of the desk. */
export function useDivision(): DeskDivision {
  const division = inject(KEY)
  if (!division) throw new Error('useDivision outside the desk')
  return division
}
