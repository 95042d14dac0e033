/**
 * The app's words. `t('door.all_well')` answers in the language of the moment; keys are checked by the
 * compiler. The first load carries the Chinese of the first screen; the rest comes in packs with what is
 * behind it (`loadTexts`), English when asked for. Large lazy parts bring texts of their own with `lazyTexts`.
 *
 * In a text, `{name}` stands for a parameter and `{n|record|records}` chooses by number.
 */
import { shallowRef } from 'vue'
import { readSettings, writeSettings, type Language } from './settings'
import zhEntry from './texts/zh-CN/entry'

type Pack<T extends { default: unknown }> = keyof T['default'] & string
export type TextKey =
  | Pack<typeof import('./texts/zh-CN/entry')>
  | Pack<typeof import('./texts/zh-CN/doors')>
  | Pack<typeof import('./texts/zh-CN/rest')>
export type Params = Record<string, string | number>
type Loader<K extends string> = () => Promise<{ default: Record<K, string> }>

export const language = shallowRef<Language>(readSettings().language)

const loaded: Record<Language, Record<string, string>> = { 'zh-CN': { ...zhEntry }, en: {} }
const packs: Record<Language, Record<'entry' | 'doors' | 'rest', Loader<string>>> = {
  'zh-CN': {
    entry: () => Promise.resolve({ default: zhEntry }),
    doors: () => import('./texts/zh-CN/doors'),
    rest: () => import('./texts/zh-CN/rest'),
  },
  en: { entry: () => import('./texts/en/entry'), doors: () => import('./texts/en/doors'), rest: () => import('./texts/en/rest') },
}

async function loadPack(name: 'entry' | 'doors' | 'rest', wanted: Language): Promise<void> {
  Object.assign(loaded[wanted], (await packs[wanted][name]()).default)
}
const loadInside = async (wanted: Language): Promise<void> => {
  await Promise.all([loadPack('doors', wanted), loadPack('rest', wanted)])
}
const bundles = new Set<(language: Language) => Promise<void>>([(wanted) => loadPack('entry', wanted)])

/** The texts of every page but the first; await it before one is drawn. */
export async function loadTexts(): Promise<void> {
  bundles.add(loadInside)
  await loadInside(language.value)
}

/** Put parameters into a text. */
export function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, other?: string) => {
    const value = params[name]
    if (one !== undefined && other !== undefined) return Number(value) === 1 ? one : other
    return typeof value === 'number' ? formatNumber(value) : (value ?? '')
  })
}

/** The text for a key, in the language of the moment. */
export function t(key: TextKey, params?: Params): string {
  const text = loaded[language.value][key] ?? key
  return params ? fill(text, params) : text
}

/** The text for a key made from data, such as `code.epoch_old`; `fallback` where there is none. */
export function textOr(key: string, fallback: TextKey, params?: Params): string {
  return t(key in loaded[language.value] ? (key as TextKey) : fallback, params)
}

/** Texts of a lazy part: await `load()` before it is drawn, then use its own typed `t`. */
export function lazyTexts<K extends string>(loaders: Record<Language, Loader<K>>) {
  const own: Partial<Record<Language, Record<K, string>>> = {}
  const loadFor = async (wanted: Language) => {
    own[wanted] ??= (await loaders[wanted]()).default
  }
  return {
    async load(): Promise<void> {
      bundles.add(loadFor)
      await loadFor(language.value)
    },
    t(key: K, params?: Params): string {
      const text = own[language.value]?.[key] ?? key
      return params ? fill(text, params) : text
    },
  }
}

/** Change the language: its texts are fetched first, so that nothing is half translated. */
export async function setLanguage(wanted: Language): Promise<void> {
  await Promise.all([...bundles].map((load) => load(wanted)))
  language.value = wanted
  document.documentElement.lang = wanted
  document.title = t('app.name')
  writeSettings({ language: wanted })
}

/** Thousands grouped, by commas in both languages. */
export function formatNumber(value: number): string {
  // the first format of `Intl` takes a slow phone a tenth of a second
  return Number.isInteger(value) ? String(value).replace(/\B(?=(\d{3})+$)/g, ',') : value.toLocaleString(language.value)
}
