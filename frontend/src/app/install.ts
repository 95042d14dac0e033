/** Adding the app to the home screen: Chromium offers a prompt once, iOS wants to be shown the way. */
import { shallowRef } from 'vue'

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>
}

let offered: InstallPrompt | undefined
export const canInstall = shallowRef(false)
export const isIos = /iphone|ipad|ipod/i.test(navigator.userAgent)
export const isInstalled = matchMedia('(display-mode: standalone)').matches

/** Keep the browser's offer for the button on Me. Call once, early. */
export function watchInstallOffer(): void {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault()
    offered = event as InstallPrompt
    canInstall.value = true
  })
}

/** Show the browser's own question; it can be asked once. */
export async function install(): Promise<void> {
  await offered?.prompt()
  offered = undefined
  canInstall.value = false
}
