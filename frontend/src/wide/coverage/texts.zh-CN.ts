/** The overview in Chinese; the keys are the contract, `texts.en.ts` has the same. */
const zh = {
  'title': '总览',
  'round_of': '{title}（{from} 至 {to}）',
  'no_round': '没有进行中的排查',
  'as_of': '截至 {when}',
  'by': '分{level}完成情况',
  'by_building': '分楼栋完成情况',
  'name': '名称',
  'done': '已完成户',
  'missing': '未完成户',
  'share': '完成率',
}
export default zh
