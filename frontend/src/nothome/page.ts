/** What is rare at a door, with its words. */
import type { Component } from 'vue'
import { nothomeTexts } from './texts'

export async function openDoorExtras(): Promise<Component> {
  const [extras] = await Promise.all([import('./DoorExtras.vue'), nothomeTexts.load()])
  return extras.default
}

export async function openAskAgain(): Promise<Component> {
  const [sheet] = await Promise.all([import('./AskAgain.vue'), nothomeTexts.load()])
  return sheet.default
}
