/** The walk sheet's page with its words. */
import type { Component } from 'vue'
import { walkSheetTexts } from './texts'

export async function openPrint(): Promise<Component> {
  const [page] = await Promise.all([import('./PrintPage.vue'), walkSheetTexts.load()])
  return page.default
}

export async function openEntry(): Promise<Component> {
  const [page] = await Promise.all([import('./entry/EntryPage.vue'), (await import('./entry/texts')).entryTexts.load()])
  return page.default
}
