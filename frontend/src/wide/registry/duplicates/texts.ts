/** Words of what is registered twice. */
import { lazyTexts } from '../../../app/i18n'

export const duplicateTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = duplicateTexts
