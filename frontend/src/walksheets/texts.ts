/** Words of the walk sheet, fetched with it. */
import { lazyTexts } from '../app/i18n'

export const walkSheetTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = walkSheetTexts
