/** Words of the posts' page at the desk. */
import { lazyTexts } from '../../app/i18n'

export const postsTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = postsTexts
