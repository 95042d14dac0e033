import { questionTexts } from '../../questions/texts'
import { iconScreening } from '../../ui/icons'
import { entryTexts } from '../../walksheets/entry/texts'
import { walkSheetTexts } from '../../walksheets/texts'
import { withTexts, type DeskPart } from '../pages'
import { screeningTexts } from './texts'

/** the editor and the counts show questions as the phone does, in the phone's words */
const both = { load: async () => void (await Promise.all([screeningTexts.load(), questionTexts.load()])) }
/** The desk's words and the sheet's own, both on paper and typed in. */
const withSheetTexts = <T>(load: () => Promise<T>) => withTexts(screeningTexts, withTexts(walkSheetTexts, withTexts(questionTexts, withTexts(entryTexts, load))))

export const screening: DeskPart = {
  id: 'screening',
  icon: iconScreening,
  routes: [
    { path: '', component: withTexts(screeningTexts, () => import('./Rounds.vue')) },
    { path: 'round', component: withTexts(both, () => import('./RoundEditor.vue')) },
    { path: 'answers', component: withTexts(both, () => import('./AnswerCounts.vue')) },
    { path: 'risk-areas', component: withTexts(screeningTexts, () => import('./RiskAreas.vue')) },
    { path: 'risk-area', component: withTexts(screeningTexts, () => import('./RiskArea.vue')) },
    { path: 'flagged', component: withTexts(screeningTexts, () => import('./Flagged.vue')) },
    { path: 'follow-ups', component: withTexts(screeningTexts, () => import('./FollowUps.vue')) },
    { path: 'notices', component: withTexts(screeningTexts, () => import('./DoorNotices.vue')) },
    { path: 'self-reports', component: withTexts(both, () => import('./SelfReports.vue')) },
    { path: 'walk-sheets', component: withTexts(screeningTexts, () => import('./WalkSheets.vue')) },
    { path: 'walk-sheets/:id', component: withSheetTexts(() => import('./WalkSheetEntry.vue')), props: true },
    { path: 'walk-sheets/:id/print', component: withSheetTexts(() => import('./WalkSheetPrint.vue')), props: true },
    { path: 'notices/print', component: withTexts(screeningTexts, () => import('./NoticePrint.vue')) },
  ],
}
