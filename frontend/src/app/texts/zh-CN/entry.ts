/** Sentences of the first screen, in the first load: signing in, and what may be said anywhere. The keys are the contract, `en/entry.ts` has the same. */
const zh = {
  'app.name': '先锋网格',
  'app.loading': '正在打开…',
  'app.back': '返回',
  'app.close': '关闭',
  'app.cancel': '取消',
  'app.undo': '撤销',
  'app.retry': '再试一次',
  'app.save': '保存',
  'app.tabs': '主要页面',

  'notice.no_https': '当前网址不是 https，断网后无法打开应用；联网时可正常使用。',
  'notice.no_database': '这个浏览器不能保存离线数据（可能是无痕模式）。请用普通窗口或其他浏览器。',
  'notice.new_version': '有新版本',
  'notice.new_version_do': '更新',

  'sign_in.welcome': '一户不漏，一人不漏',
  'sign_in.login': '手机号或登录名',
  'sign_in.password': '密码',
  'sign_in.submit': '登录',
  'sign_in.busy': '正在登录…',
  'sign_in.invitation': '我有邀请码',
  'sign_in.unreachable': '现在连不上服务器。第一次登录需要网络，请检查网络后再试。',
  'sign_in.forgot': '忘记密码？请社区工作人员重置，或向其索取邀请码。',
  'sign_in.need_login': '请填写手机号或登录名。',
  'sign_in.need_password': '请填写密码。',
  'sign_in.kept': '手机里有 {n} 条未上传的记录，登录同一账号后继续上传。',

  'code.credentials_invalid': '手机号（登录名）或密码不对。',
  'code.too_many_attempts': '尝试次数过多，请过几分钟再试。',
  'code.device_revoked': '这台手机（设备）已被停用。记录都已上传，本机资料已清除。需要继续使用请联系社区。',
  'code.password_change_needed': '请先设置自己的密码；没上传的记录都还在。',
  'code.not_found': '没有找到，可能已被删除。',
  'code.forbidden': '您的账号没有这个权限。',
  'code.offline': '现在连不上服务器。请检查网络后再试。',
  'code.server': '服务器出了点问题，请稍后再试。',
  'code.unknown': '没有成功（{code}）。请再试一次。',
} as const satisfies Record<string, string>

export default zh as { [Key in keyof typeof zh]: string }
