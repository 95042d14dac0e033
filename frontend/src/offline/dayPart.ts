/** The hours in Shanghai, which keeps UTC+8, at which morning, afternoon and evening begin; SQL's `day_part` has the same. */
export const PARTS = [0, 12, 18]
export const HOUR_MS = 3_600_000
export type DayPart = 0 | 1 | 2

/** Morning, afternoon or evening of an instant (ms). */
export function partOf(ms: number): DayPart {
  const hour = Math.floor(ms / HOUR_MS + 8) % 24
  return (hour < PARTS[1]! ? 0 : hour < PARTS[2]! ? 1 : 2) as DayPart
}
