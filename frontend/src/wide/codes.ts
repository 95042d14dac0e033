/** Division codes as `app/core/area_code.py` reads them: 12 digits, the level told by the zeros. */
export type Level = 'city' | 'district' | 'town' | 'community'

export const LEVELS: readonly Level[] = ['city', 'district', 'town', 'community']
const PREFIX_LENGTH: Record<Level, number> = { city: 4, district: 6, town: 9, community: 12 }

export function isCode(text: string): boolean {
  return /^\d{12}$/.test(text)
}

/** The level a code speaks of. */
export function levelOf(code: string): Level {
  return LEVELS.find((level) => /^0*$/.test(code.slice(PREFIX_LENGTH[level]))) ?? 'community'
}

/** Whether a division lies in another one, or is it. */
export function covers(above: string, code: string): boolean {
  return code.startsWith(above.slice(0, PREFIX_LENGTH[levelOf(above)]))
}

/** The level below; null below a community. */
export function nextLevel(level: Level): Level | null {
  return LEVELS[LEVELS.indexOf(level) + 1] ?? null
}
