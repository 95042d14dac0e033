/**
 * Claims. They are the one thing a phone cannot do alone: a place is given on the spot, by the server. So these
 * call it directly and raise OfflineError or ProblemError; everything else of the app goes through the outbox.
 */
import { engine } from '../app/engine'
import type { components } from '../api/types'
import type { OpenArea, Post } from './post'

const MOST = 200

function toPost(read: components['schemas']['PostRead']): Post {
  return {
    id: read.id,
    communityCode: read.community_code,
    communityName: read.community_name,
    title: read.title,
    kind: read.kind,
    isDemonstration: read.is_demonstration,
    duty: read.duty,
    place: read.place,
    startsAt: Date.parse(read.starts_at),
    endsAt: Date.parse(read.ends_at),
    wanted: read.wanted_count,
    claimed: read.claimed_count,
    isMine: read.is_mine,
    claimants: read.claimants.map((claimant) => claimant.name),
  }
}

function toArea(read: components['schemas']['ResponsibilityAreaRead']): OpenArea {
  return {
    id: read.id,
    communityName: read.community_name,
    name: read.name,
    note: read.note,
    households: read.household_count,
    dwellings: read.dwelling_count,
    isOpen: read.is_open && !read.holder,
    isMine: read.holder?.id === engine.session?.accountId,
    since: read.assigned_at ? Date.parse(read.assigned_at) : null,
    places: read.places,
  }
}

/** Published posts of one's communities. */
export async function listPosts(): Promise<Post[]> {
  const { data } = await engine.api.GET('/api/v1/posts', { params: { query: { limit: MOST } } })
  return data!.items.filter((post) => post.is_published).map(toPost)
}

export async function claimPost(id: string): Promise<void> {
  await engine.api.POST('/api/v1/posts/{post_id}/claim', { params: { path: { post_id: id } } })
}

export async function releasePost(id: string): Promise<void> {
  await engine.api.POST('/api/v1/posts/{post_id}/release', { params: { path: { post_id: id } } })
}

/** Areas one holds and areas open to claim. */
export async function listAreas(): Promise<OpenArea[]> {
  const [mine, open] = await Promise.all([
    engine.api.GET('/api/v1/responsibility-areas', { params: { query: { is_mine: true, limit: MOST } } }),
    engine.api.GET('/api/v1/responsibility-areas', { params: { query: { is_open: true, limit: MOST } } }),
  ])
  const areas = new Map([...mine.data!.items, ...open.data!.items].map((area) => [area.id, toArea(area)]))
  return [...areas.values()]
}

/** Take an open area; its doors are fetched at once. */
export async function claimArea(id: string): Promise<void> {
  await engine.api.POST('/api/v1/responsibility-areas/{area_id}/claim', { params: { path: { area_id: id } } })
  engine.syncSoon(0)
}

/** Give an area back; its doors leave the phone with the next sync. */
export async function releaseArea(id: string): Promise<void> {
  await engine.api.POST('/api/v1/responsibility-areas/{area_id}/release', { params: { path: { area_id: id } } })
  engine.syncSoon(0)
}
