/** The walk sheet's page with its words. */
import type { Component } from 'vue'
import { questionTexts } from '../questions/texts'
import { walkSheetTexts } from './texts'

export async function openPrint(): Promise<Component> {
  const [page] = await Promise.all([import('./PrintPage.vue'), walkSheetTexts.load(), questionTexts.load()])
  return page.default
}

export async function openEntry(): Promise<Component> {
  const [page] = await Promise.all([import('./entry/EntryPage.vue'), (await import('./entry/texts')).entryTexts.load(), questionTexts.load()])
  return page.default
}
