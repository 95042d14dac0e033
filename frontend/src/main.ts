/**
 * Starts the app: settings before the first paint, then the language and the page. A first visit paints the
 * sign-in page before anything else is fetched; where somebody is signed in, the router waits for the database.
 */
import { createApp, watch } from 'vue'
import App from './app/App.vue'
import { language, setLanguage, t } from './app/i18n'
import { watchInstallOffer } from './app/install'
import { codeText, problemCode } from './app/problems'
import { fetchAhead, router } from './app/router'
import { applyTextSize, readSettings } from './app/settings'
import { openSession, session, wasSignedIn } from './auth/session'
import { applyUpdate, keepLanguage, registerServiceWorker } from './offline/serviceWorker'
import { offer, toast } from './ui/notices'
import './ui/tokens.css'

/** Not awaited by the module: later parts import it, and would wait for it while it waits for them. */
async function start(): Promise<void> {
  const wasInside = wasSignedIn()
  if (wasInside) {
    void openSession()
    fetchAhead()
  }
  await setLanguage(language.value)
  const app = createApp(App)
  // what no screen has foreseen is said all the same: a tap that did nothing must not look like one that did
  const say = (error: unknown) => {
    console.error(error)
    toast(codeText(problemCode(error)))
  }
  app.config.errorHandler = say
  router.onError(say)
  app.use(router).mount('#app')
  await router.isReady()
  await openSession()
  // the sign that somebody is signed in can be lost alone, when a browser clears a part of its storage
  if (session.value && !wasInside && router.currentRoute.value.path === '/sign-in') await router.replace('/')
  // after the first page, which a slow phone has enough to do with
  await new Promise((done) => setTimeout(done, 1000))
  await keepLanguage(language.value)
  watch(language, keepLanguage)
  // a version that is ready is offered until it is taken; nobody is interrupted in the middle of a form
  registerServiceWorker(() => {
    offer.value = { text: t('notice.new_version'), action: t('notice.new_version_do'), run: applyUpdate }
  })
}

applyTextSize(readSettings().textSize)
watchInstallOffer()
void start()
