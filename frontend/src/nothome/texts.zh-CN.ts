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

  'report.title': '住户自报 · {when}（未核实）',
  'report.text': '扫码填写，还不算已查。电话或当面核实后点确认；有出入就照常重新询问。',
  'report.confirm': '核实无误，确认',
  'report.saved': '已确认自报，记为已查',
}
export default zh
