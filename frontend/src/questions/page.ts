/** A round's own questions at a door, with their words; fetched by rounds that have some. */
import type { Component } from 'vue'
import { questionTexts } from './texts'

export async function openRoundQuestions(): Promise<Component> {
  const [part] = await Promise.all([import('./RoundQuestions.vue'), questionTexts.load()])
  return part.default
}
