/** Rare doings at a door, in Chinese; the keys are the contract, `texts.en.ts` has the same. */
const zh = {
  'again.title': '为什么再问一次？',
  'again.changed': '情况有变',
  'again.correction': '更正上次',
  'again.completing': '补问家人',
  'again.ordered': '上级要求',
  'again.requested': '住户要求',
}
export default zh
