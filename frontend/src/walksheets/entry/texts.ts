/** Words of quick entry, fetched with it. */
import { lazyTexts } from '../../app/i18n'

export const entryTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = entryTexts
