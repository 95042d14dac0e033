/** Words of the walk sheet, in English; `texts.zh-CN.ts` says what there is. */
import type zh from './texts.zh-CN'

const en: typeof zh = {
  'title': 'Walk sheet',
  'subtitle': 'For a day without a phone: print it, write at the doors, enter it later',
  'area': 'Area',
  'print': 'Print',
  'pages': '{doors} {doors|door|doors} · {pages} {pages|page|pages} (A4)',
  'none': 'No door to go to',
  'none_text': 'All of this area is done.',
  'privacy': 'The paper has surnames and numbers of people only. Hand it back to the committee.',
  'offline': 'Prints offline too; its code is sent once there is a network, so that the committee finds it.',
  'enter': 'Enter a filled sheet',
  'enter_text': 'Faster on a PC; needs a network',

  'paper.title': 'Walk sheet',
  'paper.code': 'Sheet {code}',
  'paper.page': 'Page {page} of {pages}',
  'paper.walker': 'Walker: {name}',
  'paper.printed': 'Printed {when}',
  'paper.date': 'Walked on ______ / ______',
  'paper.door': 'Household',
  'paper.outcome': 'Outcome (tick)',
  'paper.temperature': 'Each: °C, "a" away, "x" not asked',
  'paper.note': 'Time · symptoms, contact, note',
  'paper.people': '{n} {n|person|people}',
  'paper.tried': 'tried ×{n}',
  'paper.member': 'No. {n}',
  'paper.foot': 'From {limit} °C, with symptoms or contact: ring the committee at once. Hand the sheet back to be entered and destroyed.',
  'paper.1': 'all well',
  'paper.2': 'part',
  'paper.3': 'no answer',
  'paper.4': 'refused',
  'paper.5': 'vacant',
  'paper.6': 'wrong address',
  'paper.7': 'unsafe',
}
export default en
