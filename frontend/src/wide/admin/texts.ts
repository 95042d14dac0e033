/** Words of accounts and of the trail. */
import { lazyTexts } from '../../app/i18n'

export const adminTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = adminTexts
