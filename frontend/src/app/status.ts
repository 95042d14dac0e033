/** The engine's state as the screens watch it, and the start of everything that runs beside them. */
import { shallowRef } from 'vue'
import { applyUpdate, registerServiceWorker, watchBrowser, type Status } from '../offline'
import { showStrip } from '../ui/notices'
import { engine } from './engine'
import { t } from './i18n'

export const status = shallowRef<Status>(engine.status)
engine.subscribe(() => (status.value = engine.status))

/** A version that is ready is offered until it is taken; nobody is interrupted in the middle of a form. */
const UPDATE_SECONDS = 3600

/** Sync with the browser's events from now on, and keep the shell for offline starts. */
export function startEngine(): void {
  watchBrowser(engine)
  registerServiceWorker(() =>
    showStrip({ text: t('notice.new_version'), action: t('notice.new_version_do'), seconds: UPDATE_SECONDS, run: applyUpdate }),
  )
}
