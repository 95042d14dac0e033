import { iconPosts } from '../../ui/icons'
import { withTexts, type DeskPart } from '../pages'
import { postsTexts } from './texts'

export const posts: DeskPart = {
  id: 'posts',
  icon: iconPosts,
  routes: [{ path: '', component: withTexts(postsTexts, () => import('./PostsPage.vue')) }],
}
