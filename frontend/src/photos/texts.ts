/** Words of photos, fetched with them. */
import { lazyTexts } from '../app/i18n'

export const photoTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = photoTexts
