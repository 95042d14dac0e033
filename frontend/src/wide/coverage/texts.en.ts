import type zh from './texts.zh-CN'

const en: Record<keyof typeof zh, string> = {
  'title': 'Overview',
  'round_of': '{title} ({from} to {to})',
  'no_round': 'No open round',
  'as_of': 'As of {when}',
  'by': 'Done by {level}',
  'by_building': 'Done by building',
  'name': 'Name',
  'done': 'Households done',
  'missing': 'Households missing',
  'share': 'Share done',
}
export default en
