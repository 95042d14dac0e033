/** Words of photos, in English; `texts.zh-CN.ts` says what there is. */
import type zh from './texts.zh-CN'

const en: typeof zh = {
  'title': 'Photos (optional)',
  'take': 'Take or choose',
  'hint': 'Only what has to be checked, no documents. Shrunk on the phone, without its place, stored encrypted, deleted on its day.',
  'remove': 'Remove photo {n}',
  'photo': 'Photo {n}',
  'low': 'This phone has too little room for photos. Make room first; records are not affected.',
  'unreadable': 'This picture cannot be opened; choose another.',
  'most': 'At most {n} at a time.',
  'waiting': 'Photos and walk sheets to send',
  'kind.photo': 'Photo {when}',
  'kind.sheet': 'Walk sheet {when}',
  'refused': 'Not taken ({code})',
  'going': 'waits to be sent',
  'discard': 'Give up',
}
export default en
