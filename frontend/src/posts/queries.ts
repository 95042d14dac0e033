/** Posts as last seen: kept on the phone, so that one's own shifts stand there without a network too. */
import { shallowRef } from 'vue'
import { engine } from '../app/engine'
import type { Post } from './post'

export { untilParts, type Post } from './post'

const KEY = 'kept:posts'
export const keptPosts = shallowRef<Post[]>([])

/** Read what was kept. */
export async function readKeptPosts(): Promise<Post[]> {
  keptPosts.value = (await engine.getDraft<Post[]>(KEY)) ?? []
  return keptPosts.value
}

/** Keep the posts one has claimed. */
export async function keepPosts(posts: Post[]): Promise<void> {
  keptPosts.value = posts.filter((post) => post.isMine)
  await engine.saveDraft(KEY, keptPosts.value)
}
