/** Starts the app: settings before the first paint, then the language, the phone's database, the page. */
import { createApp } from 'vue'
import App from './app/App.vue'
import { startEngine } from './app/status'
import { language, setLanguage } from './app/i18n'
import { watchInstallOffer } from './app/install'
import { router } from './app/router'
import { applyTextSize, readSettings } from './app/settings'
import { openSession } from './auth/session'
import './ui/tokens.css'

applyTextSize(readSettings().textSize)
watchInstallOffer()
await Promise.all([setLanguage(language.value), openSession()])
startEngine()
createApp(App).use(router).mount('#app')
