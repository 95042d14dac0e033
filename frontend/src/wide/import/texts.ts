/** Words of the import. */
import { lazyTexts } from '../../app/i18n'

export const importTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = importTexts
