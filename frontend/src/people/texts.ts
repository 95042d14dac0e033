/** Words of the household's page, fetched with it. */
import { lazyTexts } from '../app/i18n'

export const peopleTexts = lazyTexts({
  'zh-CN': () => import('./texts.zh-CN'),
  en: () => import('./texts.en'),
})
export const { t } = peopleTexts
