import { iconAdmin } from '../../ui/icons'
import { withTexts, type DeskPart } from '../pages'
import { adminTexts } from './texts'

export const admin: DeskPart = {
  id: 'admin',
  icon: iconAdmin,
  routes: [
    { path: '', component: withTexts(adminTexts, () => import('./Accounts.vue')) },
    { path: 'trail', component: withTexts(adminTexts, () => import('./Trail.vue')) },
  ],
}
