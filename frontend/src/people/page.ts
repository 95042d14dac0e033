/** The household's page with its words. */
import { peopleTexts } from './texts'

export async function openHousehold() {
  const [page] = await Promise.all([import('./PeoplePage.vue'), peopleTexts.load()])
  return page
}
