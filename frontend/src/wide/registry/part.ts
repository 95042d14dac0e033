import { questionTexts } from '../../questions/texts'
import { iconRegistry } from '../../ui/icons'
import { withTexts, type DeskPart } from '../pages'
import { duplicateTexts } from './duplicates/texts'
import { registryTexts } from './texts'

/** a household's visits have answers to a round's own questions, in the phone's words */
const withQuestions = { load: async () => void (await Promise.all([registryTexts.load(), questionTexts.load()])) }

export const registry: DeskPart = {
  id: 'registry',
  icon: iconRegistry,
  routes: [
    { path: '', component: withTexts(registryTexts, () => import('./Registry.vue')) },
    { path: 'conflicts', component: withTexts(registryTexts, () => import('./Conflicts.vue')) },
    { path: 'duplicates', component: withTexts({ load: async () => void (await Promise.all([registryTexts.load(), duplicateTexts.load()])) }, () => import('./duplicates/Duplicates.vue')) },
    { path: 'lapsing', component: withTexts(registryTexts, () => import('./Lapsing.vue')) },
    { path: 'moves', component: withTexts(registryTexts, () => import('./Moves.vue')) },
    { path: 'household/:id', component: withTexts(withQuestions, () => import('./Household.vue')), props: true },
    { path: 'household/:id/copy/:resident', component: withTexts(registryTexts, () => import('./CopyPage.vue')), props: true },
  ],
}
