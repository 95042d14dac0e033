import { iconUp } from '../../ui/icons'
import { withTexts, type DeskPart } from '../pages'
import { importTexts } from './texts'

export const importPart: DeskPart = {
  id: 'import',
  icon: iconUp,
  routes: [{ path: '', component: withTexts(importTexts, () => import('./ImportPage.vue')) }],
}
