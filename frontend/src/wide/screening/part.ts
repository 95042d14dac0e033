import { questionTexts } from '../../questions/texts'
import { iconScreening } from '../../ui/icons'
import { withTexts, type DeskPart } from '../pages'
import { screeningTexts } from './texts'

/** the editor shows questions as the phone does, in the phone's words */
const both = { load: async () => void (await Promise.all([screeningTexts.load(), questionTexts.load()])) }

export const screening: DeskPart = {
  id: 'screening',
  icon: iconScreening,
  routes: [
    { path: '', component: withTexts(screeningTexts, () => import('./Rounds.vue')) },
    { path: 'round', component: withTexts(both, () => import('./RoundEditor.vue')) },
    { path: 'answers', component: withTexts(screeningTexts, () => import('./AnswerCounts.vue')) },
    { path: 'flagged', component: withTexts(screeningTexts, () => import('./Flagged.vue')) },
    { path: 'follow-ups', component: withTexts(screeningTexts, () => import('./FollowUps.vue')) },
    { path: 'notices', component: withTexts(screeningTexts, () => import('./DoorNotices.vue')) },
    { path: 'self-reports', component: withTexts(screeningTexts, () => import('./SelfReports.vue')) },
    { path: 'notices/print', component: withTexts(screeningTexts, () => import('./NoticePrint.vue')) },
  ],
}
