import { iconOverview } from '../../ui/icons'
import { withTexts, type DeskPart } from '../pages'
import { coverageTexts } from './texts'

export const coverage: DeskPart = {
  id: 'coverage',
  icon: iconOverview,
  routes: [
    { path: '', component: withTexts(coverageTexts, () => import('./Coverage.vue')) },
    { path: 'doors', component: withTexts(coverageTexts, () => import('./Doors.vue')) },
  ],
}
