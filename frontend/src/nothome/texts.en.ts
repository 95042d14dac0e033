/** Rare doings at a door, in English; `texts.zh-CN.ts` says what there is. */
import type zh from './texts.zh-CN'

const en: typeof zh = {
  'again.title': 'Why ask again?',
  'again.changed': 'Something changed',
  'again.correction': 'Correct the last',
  'again.completing': 'Ask the others',
  'again.ordered': 'Ordered to',
  'again.requested': 'They asked for it',

  'notice.due': 'A door notice is due',
  'notice.due_text': 'Nobody opened several times. The committee prints it; tap when it hangs at the door.',
  'notice.do': 'It hangs',
  'notice.left': 'A door notice hangs here',
  'notice.left_text': 'They can report by its code; it is over when somebody answers.',
  'notice.saved': 'Recorded: the notice hangs',

  'report.title': 'Self-reported {when} (not confirmed)',
  'report.text': 'Filled in by their code; it does not count yet. Confirm once you have checked, or ask them as usual.',
  'report.confirm': 'Checked: confirm',
  'report.saved': 'Confirmed, the household is done',
}
export default en
