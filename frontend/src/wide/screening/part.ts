import { iconScreening } from '../../ui/icons'
import { withTexts, type DeskPart } from '../pages'
import { screeningTexts } from './texts'

export const screening: DeskPart = {
  id: 'screening',
  icon: iconScreening,
  routes: [
    { path: '', component: withTexts(screeningTexts, () => import('./Rounds.vue')) },
    { path: 'flagged', component: withTexts(screeningTexts, () => import('./Flagged.vue')) },
    { path: 'follow-ups', component: withTexts(screeningTexts, () => import('./FollowUps.vue')) },
    { path: 'notices', component: withTexts(screeningTexts, () => import('./DoorNotices.vue')) },
    { path: 'self-reports', component: withTexts(screeningTexts, () => import('./SelfReports.vue')) },
    { path: 'notices/print', component: withTexts(screeningTexts, () => import('./NoticePrint.vue')) },
  ],
}
