/** Words of the registry. */
import { lazyTexts } from '../../app/i18n'

export const registryTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = registryTexts
