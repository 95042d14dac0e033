/** Posts and open areas as the screens think of them, and the rules about them that need no network. */

export interface Post {
  id: string
  communityCode: string
  communityName: string
  title: string
  kind: string
  isDemonstration: boolean
  duty: string
  place: string
  /** ms since 1970 */
  startsAt: number
  endsAt: number
  wanted: number
  claimed: number
  isMine: boolean
  claimants: string[]
}

export interface OpenArea {
  id: string
  communityName: string
  name: string
  note: string
  households: number
  dwellings: number
  isOpen: boolean
  isMine: boolean
  /** ms since 1970, when it was taken */
  since: number | null
  places: string[]
}

/** Mine on top, soonest first; then those that still want people; full and past ones last. */
export function orderPosts(posts: Post[], now: number): { mine: Post[]; open: Post[] } {
  const soonest = (a: Post, b: Post) => a.startsAt - b.startsAt
  const isFull = (post: Post) => (post.claimed >= post.wanted ? 1 : 0)
  return {
    mine: posts.filter((post) => post.isMine && post.endsAt > now).sort(soonest),
    open: posts.filter((post) => !post.isMine && post.endsAt > now).sort((a, b) => isFull(a) - isFull(b) || soonest(a, b)),
  }
}

/** The post nearest to one that was just filled: the same kind first, then the nearest in time. */
export function findLike(posts: Post[], lost: Post, now: number): Post | undefined {
  return posts
    .filter((post) => post.id !== lost.id && !post.isMine && post.claimed < post.wanted && post.endsAt > now)
    .sort(
      (a, b) =>
        Number(b.kind === lost.kind) - Number(a.kind === lost.kind) ||
        Number(b.communityCode === lost.communityCode) - Number(a.communityCode === lost.communityCode) ||
        Math.abs(a.startsAt - lost.startsAt) - Math.abs(b.startsAt - lost.startsAt),
    )[0]
}

/** How long until a time, in the largest unit that says something: days, hours or minutes. */
export function untilParts(ms: number): { unit: 'days' | 'hours' | 'minutes'; n: number } {
  const minutes = Math.max(1, Math.ceil(ms / 60_000))
  if (minutes >= 2 * 24 * 60) return { unit: 'days', n: Math.floor(minutes / (24 * 60)) }
  if (minutes >= 120) return { unit: 'hours', n: Math.floor(minutes / 60) }
  return { unit: 'minutes', n: minutes }
}
