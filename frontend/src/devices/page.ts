/** The page of one's own devices with its words. */
import type { Component } from 'vue'
import { deviceTexts } from './texts'

export async function openDevices(): Promise<Component> {
  const [page] = await Promise.all([import('./MyDevices.vue'), deviceTexts.load()])
  return page.default
}
