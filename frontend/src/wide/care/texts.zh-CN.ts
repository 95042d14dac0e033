/** Care at the desk in Chinese; the keys are the contract, `texts.en.ts` has the same. */
const zh = {
  'title': '关爱',
  'subtitle': '独居老人、困难家庭和走访过的住户，先列已过期的。',
  'none': '还没有关爱对象',
  'none_text': '在“登记”里给住户加上“独居老人”或“困难家庭”标签，就会出现在这里。',
  'due': '下次走访',
  'household': '住户',
  'phone': '电话',
  'tags': '标签',
  'last': '上次走访',
  'needs': '需要',
  'owner': '责任人',
  'overdue': '已过期 {n} 天',
  'today': '今天',
  'never': '还没有走访过',
  'again': '上次没见到，要再去',
  'no_date': '没有约定',
  'people': '{n} 人',
  'by': '{when}，{who}',
}
export default zh
