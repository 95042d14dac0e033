/** What every page behind the sign-in needs, fetched together: the engine, the texts, the tabs and notices. */
import { shallowRef, type Component } from 'vue'
import { loadTexts } from './i18n'
import { loadEngine } from './status'

/** The tabs and notices, once they are here. */
export const beside = shallowRef<Component | null>(null)

/** Fetch it all; await before the first page is drawn. */
export async function openInside(): Promise<void> {
  beside.value ??= (await Promise.all([import('./Beside.vue'), loadEngine(), loadTexts()]))[0].default
}
