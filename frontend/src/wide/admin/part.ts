import { iconAdmin } from '../../ui/icons'
import { withTexts, type DeskPart } from '../pages'
import { adminTexts } from './texts'

export const admin: DeskPart = {
  id: 'admin',
  icon: iconAdmin,
  routes: [
    { path: '', component: withTexts(adminTexts, () => import('./Accounts.vue')) },
    { path: 'devices', component: withTexts(adminTexts, () => import('./Devices.vue')) },
    { path: 'clients', component: withTexts(adminTexts, () => import('./Clients.vue')) },
    { path: 'privacy', component: withTexts(adminTexts, () => import('./Privacy.vue')) },
    { path: 'rules', component: withTexts(adminTexts, () => import('./Rules.vue')) },
    { path: 'changes', component: withTexts(adminTexts, () => import('./Changes.vue')) },
    { path: 'trail', component: withTexts(adminTexts, () => import('./Trail.vue')) },
  ],
}
