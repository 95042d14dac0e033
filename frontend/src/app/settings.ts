/** What a person sets for this phone: language and text size. Kept in localStorage, read before the first paint. */
export type Language = 'zh-CN' | 'en'
export type TextSize = '100' | '125' | '150'

export interface Settings {
  language: Language
  textSize: TextSize
  /** the round chosen on Today when several are open */
  roundId: string | null
}

const KEY = 'pioneer.settings'

function preferredLanguage(): Language {
  return navigator.language?.toLowerCase().startsWith('en') ? 'en' : 'zh-CN'
}

/** The stored settings, with sensible values for what is missing or broken. */
export function readSettings(): Settings {
  let stored: Partial<Settings> = {}
  try {
    stored = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>
  } catch {
    // broken or forbidden storage: the defaults do
  }
  return {
    language: stored.language === 'en' || stored.language === 'zh-CN' ? stored.language : preferredLanguage(),
    textSize: stored.textSize === '125' || stored.textSize === '150' ? stored.textSize : '100',
    roundId: typeof stored.roundId === 'string' ? stored.roundId : null,
  }
}

/** Keep some settings; the others stay as they are. */
export function writeSettings(change: Partial<Settings>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...readSettings(), ...change }))
  } catch {
    // private windows may refuse; the setting then lasts as long as the page
  }
}

/** Make the page as large as asked; everything is in rem. */
export function applyTextSize(size: TextSize): void {
  document.documentElement.dataset.textSize = size
}
