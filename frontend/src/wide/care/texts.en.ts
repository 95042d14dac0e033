import type zh from './texts.zh-CN'

const en: Record<keyof typeof zh, string> = {
  'title': 'Care',
  'subtitle': 'Elders who live alone, households in hardship, and all that were visited; broken promises first.',
  'none': 'Nobody is looked after yet',
  'none_text': 'Give a household the tag “elder living alone” or “in hardship” in the registry, and it is here.',
  'due': 'Next visit',
  'household': 'Household',
  'phone': 'Phone',
  'tags': 'Tags',
  'last': 'Last visit',
  'needs': 'Needs',
  'owner': 'Who answers for it',
  'overdue': '{n} {n|day|days} late',
  'today': 'today',
  'never': 'never visited',
  'again': 'not met last time: go again',
  'no_date': 'no date',
  'people': '{n} {n|person|people}',
  'by': '{when}, {who}',
}
export default en
