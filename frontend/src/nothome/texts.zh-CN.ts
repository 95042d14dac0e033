/** Rare doings at a door, in Chinese; the keys are the contract, `texts.en.ts` has the same. */
const zh = {
  'again.title': '为什么再问一次？',
  'again.changed': '情况有变',
  'again.correction': '更正上次',
  'again.completing': '补问家人',
  'again.ordered': '上级要求',
  'again.requested': '住户要求',

  'notice.due': '需要张贴告知书',
  'notice.due_text': '多次无人应答。告知书由社区打印，贴在门上后点这里。',
  'notice.do': '已贴好',
  'notice.left': '已张贴告知书',
  'notice.left_text': '住户可以扫码自报；有人应答后自动结束。',
  'notice.saved': '已记：告知书贴好了',
}
export default zh
