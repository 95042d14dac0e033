import { iconPlace } from '../../ui/icons'
import { withTexts, type DeskPart } from '../pages'
import { areasTexts } from './texts'

export const areas: DeskPart = {
  id: 'areas',
  icon: iconPlace,
  routes: [{ path: '', component: withTexts(areasTexts, () => import('./AreasPage.vue')) }],
}
