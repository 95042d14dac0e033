/**
 * What the app says in passing: a toast in the middle, and a strip at the bottom that can be taken back; one of each at a
 * time, the newer one wins. An offer is a strip that stands, where nobody is in the middle of something, until it is
 * taken. `NoticeHost.vue` shows them.
 */
import { shallowRef } from 'vue'

export interface Strip {
  text: string
  action: string
  seconds: number
  run: () => void
}

export const toastText = shallowRef('')
export const strip = shallowRef<Strip | null>(null)
export const offer = shallowRef<Omit<Strip, 'seconds'> | null>(null)

let toastTimer: ReturnType<typeof setTimeout> | undefined
let stripTimer: ReturnType<typeof setTimeout> | undefined

/** Say something for two and a half seconds (longer texts stay longer). */
export function toast(text: string): void {
  clearTimeout(toastTimer)
  toastText.value = text
  toastTimer = setTimeout(() => (toastText.value = ''), Math.max(2500, text.length * 120))
}

/** Show a strip with one action, such as undo, for `seconds`. */
export function showStrip(next: Strip): void {
  clearTimeout(stripTimer)
  strip.value = next
  stripTimer = setTimeout(hideStrip, next.seconds * 1000)
}

/** Take the strip away without its action. */
export function hideStrip(): void {
  clearTimeout(stripTimer)
  strip.value = null
}

/** Run the strip's action and take it away. */
export function runStrip(): void {
  const current = strip.value
  hideStrip()
  current?.run()
}
