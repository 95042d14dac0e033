import { iconCare } from '../../ui/icons'
import { withTexts, type DeskPart } from '../pages'
import { careTexts } from './texts'

export const care: DeskPart = {
  id: 'care',
  icon: iconCare,
  routes: [{ path: '', component: withTexts(careTexts, () => import('./Care.vue')) }],
}
