/** A round's own questions, in English; `texts.zh-CN.ts` says what there is. */
import type zh from './texts.zh-CN'

const en: typeof zh = {
  'cell': 'Questions of this round',
  'cell.of': '{n} of {all} answered',
  'cell.must': 'to be answered before saving',
  'household': 'Whole household',
  'yes': 'Yes',
  'no': 'No',
  'required': 'required',
  'definition': 'What counts: {text}',
  'bounds': '{least} to {most}',
  'missing': 'This has to be answered.',
  'value': 'This is no answer to the question; please change it.',
  'save': 'Save',
  'done': 'Done',
  'left': '{n} still to be answered',
  'nobody': 'Nobody is at home, so nobody has to be asked.',
  'std_came': 'Came or came back from elsewhere lately?',
  'std_came_way': 'How they came',
  'std_came_on': 'Day of arrival',
  'std_came_from': 'From where (province, city, county)',
  'way.train': 'Train',
  'way.plane': 'Plane',
  'way.coach': 'Coach',
  'way.car': 'Car',
  'way.ship': 'Ship',
  'way.other': 'Other',
}
export default en
