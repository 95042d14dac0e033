/** What shows photos, with its words. */
import type { Component } from 'vue'
import { photoTexts } from './texts'

export async function openPicker(): Promise<Component> {
  const [picker] = await Promise.all([import('./PhotoPicker.vue'), photoTexts.load()])
  return picker.default
}

export async function openUploadList(): Promise<Component> {
  const [list] = await Promise.all([import('./UploadList.vue'), photoTexts.load()])
  return list.default
}
