/** Words of rounds and of records to look at. */
import { lazyTexts } from '../../app/i18n'

export const screeningTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = screeningTexts
