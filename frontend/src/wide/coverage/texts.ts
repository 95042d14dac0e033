/** Words of the overview. */
import { lazyTexts } from '../../app/i18n'

export const coverageTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = coverageTexts
