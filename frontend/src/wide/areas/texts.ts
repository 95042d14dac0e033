/** Words of the responsibility areas. */
import { lazyTexts } from '../../app/i18n'

export const areasTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = areasTexts
