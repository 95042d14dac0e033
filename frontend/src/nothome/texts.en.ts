/** Rare doings at a door, in English; `texts.zh-CN.ts` says what there is. */
import type zh from './texts.zh-CN'

const en: typeof zh = {
  'again.title': 'Why ask again?',
  'again.changed': 'Something changed',
  'again.correction': 'Correct the last',
  'again.completing': 'Ask the others',
  'again.ordered': 'Ordered to',
  'again.requested': 'They asked for it',
}
export default en
