/** Words of the desk's frame; each page brings its own beside it. Loaded before the desk is drawn. */
import { lazyTexts } from '../app/i18n'

export const frameTexts = lazyTexts({
  'zh-CN': () => import('./texts/zh-CN'),
  en: () => import('./texts/en'),
})
export const { t } = frameTexts

/** The parts a rail can have. */
export type RailKey = 'coverage' | 'registry' | 'screening' | 'areas' | 'posts' | 'care' | 'import' | 'admin'
