/** Words of care. */
import { lazyTexts } from '../../app/i18n'

export const careTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = careTexts
