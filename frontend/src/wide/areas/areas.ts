/** What the page of areas asks of the server. Calls raise OfflineError or ProblemError. */
import { api, call, type Schema } from '../calls'
import type { Account, Area } from './area'
import type { Building, Door } from './facade'

const MOST = 500
const of = (id: string) => ({ path: { area_id: id } })

/** Every page of a list. */
async function whole<T>(ask: (cursor: string | null) => Promise<{ items: T[]; next_cursor: string | null }>): Promise<T[]> {
  const found: T[] = []
  let cursor: string | null = null
  do {
    const page: { items: T[]; next_cursor: string | null } = await ask(cursor)
    found.push(...page.items)
    cursor = page.next_cursor
  } while (cursor)
  return found
}

export async function listBuildings(community: string): Promise<Building[]> {
  return (await call(api.GET('/api/v1/buildings', { params: { query: { community_code: community } } }))).items
}
export async function listDoors(community: string, building: Pick<Building, 'compound' | 'building'>): Promise<Door[]> {
  const query = { community_code: community, compound: building.compound, building: building.building }
  return (await call(api.GET('/api/v1/buildings/doors', { params: { query } }))).items
}
export function listAreas(community: string): Promise<Area[]> {
  return whole((cursor) => call(api.GET('/api/v1/responsibility-areas', { params: { query: { community_code: community, limit: MOST, cursor } } })))
}
export function listAccounts(community: string): Promise<Account[]> {
  return whole((cursor) => call(api.GET('/api/v1/workers', { params: { query: { community_code: community, limit: MOST, cursor } } })))
}
export function createArea(given: Schema<'ResponsibilityAreaCreate'>): Promise<Area> {
  return call(api.POST('/api/v1/responsibility-areas', { body: given }))
}
export function updateArea(id: string, change: Partial<Schema<'ResponsibilityAreaUpdate'>>): Promise<Area> {
  return call(api.PATCH('/api/v1/responsibility-areas/{area_id}', { params: of(id), body: change as Schema<'ResponsibilityAreaUpdate'> }))
}
export function assignArea(id: string, accountId: string): Promise<Area> {
  return call(api.POST('/api/v1/responsibility-areas/{area_id}/assign', { params: of(id), body: { account_id: accountId } }))
}
export function releaseArea(id: string): Promise<Area> {
  return call(api.POST('/api/v1/responsibility-areas/{area_id}/release', { params: of(id) }))
}
export async function deleteArea(id: string): Promise<void> {
  await api.DELETE('/api/v1/responsibility-areas/{area_id}', { params: of(id) })
}
