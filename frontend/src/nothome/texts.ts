/** Words of what is rare at a door, fetched with it. */
import { lazyTexts } from '../app/i18n'

export const nothomeTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = nothomeTexts
