/** Words of photos, in Chinese; the keys are the contract, `texts.en.ts` has the same. */
const zh = {
  'title': '照片（可选）',
  'take': '拍照或选图',
  'hint': '只拍需要核实的情况，不拍证件。照片在手机上缩小，去掉位置信息，加密保存，到期自动删除。',
  'remove': '删除第 {n} 张',
  'photo': '第 {n} 张照片',
  'low': '手机空间不够，不能再存照片。清理空间后再拍；记录不受影响。',
  'unreadable': '这张图打不开，请换一张。',
  'most': '一次最多 {n} 张。',
  'waiting': '照片、登记表待上传',
  'kind.photo': '照片 {when}',
  'kind.sheet': '入户登记表 {when}',
  'refused': '没有收下（{code}）',
  'going': '等待上传',
  'discard': '放弃',
}
export default zh
