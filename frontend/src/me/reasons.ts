/** Why a record is flagged or refused; what is wrong with answers is said in words that few phones ever need, fetched then. */
import { shallowRef } from 'vue'
import { lazyTexts } from '../app/i18n'
import { codeText } from '../app/problems'

type Fault = 'answer_missing' | 'answer_unexpected' | 'answer_value' | 'form_unknown'
const words = lazyTexts<`code.${Fault}`>({
  'zh-CN': () => import('../questions/texts.zh-CN'),
  en: () => import('../questions/texts.en'),
})
const areThere = shallowRef(false)

export function reasonOf(code: string): string {
  if (!/^(answer_|form_u)/.test(code)) return codeText(code)
  if (!areThere.value) void words.load().then(() => (areThere.value = true), () => {})
  return areThere.value ? words.t(`code.${code as Fault}`) : ''
}
