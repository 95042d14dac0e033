/** Words of one's own devices; `texts.en.ts` has the same. */
const zh = {
  'text': '用这个账号登录着的手机和电脑。丢了或不再用的，请在这里退出。',
  'this': '本机',
  'last': '上次联系 {when}',
  'never': '还没有联系过',
  'version': '版本 {version}',
  'unsent': '有记录未上传，最早 {when}',
  'leaving': '已要求退出，等它联网',
  'out': '退出这台',
  'ask': '退出“{name}”？',
  'ask_text': '它下次联网时先上传没传的记录，再清除住户资料，然后退出。这之前它拿不到新的资料。',
  'holds': '它还有记录没有上传，最早是 {when} 的。',
  'done': '已要求“{name}”退出',
  'none': '没有其他设备',
  'unnamed': '未命名设备',
} as const satisfies Record<string, string>

export default zh as { [Key in keyof typeof zh]: string }
