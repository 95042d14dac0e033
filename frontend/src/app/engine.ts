/** The page's one engine. Screens read from it and write to it; it alone talks to the server. */
import { createEngine } from '../offline'
import { language } from './i18n'

export const engine = createEngine(() => language.value)
