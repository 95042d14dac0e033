/** Words of one's own devices, fetched with their page. */
import { lazyTexts } from '../app/i18n'

export const deviceTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = deviceTexts
