/** Days and hours as people here say them: always Asia/Shanghai, whatever the phone thinks. */
import { language, t } from './i18n'
import { status } from './status'

const ZONE = 'Asia/Shanghai'
const DAY_MS = 86_400_000

/** The Shanghai day of an instant (ms since 1970), `YYYY-MM-DD`. */
export function dayOf(ms: number): string {
  // Shanghai has kept UTC+8 without summer time since 1991
  return new Date(ms + 8 * 3_600_000).toISOString().slice(0, 10)
}

/** The time it is (ms since 1970), by the server's clock where this phone's is known to be wrong. */
export function now(): number {
  return Date.now() - status.value.clockErrorMs
}

/** Today in Shanghai. */
export function today(): string {
  return dayOf(now())
}

/** How long something is, in the largest unit it fills: 1天, 3小时, 20分钟. */
export function formatSpan(ms: number): string {
  const [unit, size] = ms >= DAY_MS ? ['day', DAY_MS] : ms >= 3_600_000 ? ['hour', 3_600_000] : ['minute', 60_000]
  return new Intl.NumberFormat(language.value, { style: 'unit', unit: unit as string, unitDisplay: 'long' }).format(Math.round(ms / (size as number)))
}

/** A day some days later (or earlier). */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

/** Days from `from` to `to`; negative when `to` is earlier. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS)
}

function format(ms: number, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(language.value, { timeZone: ZONE, hourCycle: 'h23', ...options }).format(ms)
}

/** 09:10 */
export function formatTime(ms: number): string {
  return format(ms, { hour: '2-digit', minute: '2-digit' })
}

/** 11月24日 周二; with its year when that is another than this one */
export function formatDay(day: string): string {
  const year = day.slice(0, 4) === today().slice(0, 4) ? undefined : 'numeric'
  return format(Date.parse(`${day}T12:00:00+08:00`), { year, month: 'short', day: 'numeric', weekday: 'short' })
}

/** today / tomorrow / yesterday, otherwise the day itself */
export function formatDayNear(day: string): string {
  const distance = daysBetween(today(), day)
  if (distance === 0) return t('day.today')
  if (distance === 1) return t('day.tomorrow')
  if (distance === -1) return t('day.yesterday')
  return formatDay(day)
}

/** 今天 09:10 */
export function formatWhen(ms: number): string {
  return `${formatDayNear(dayOf(ms))} ${formatTime(ms)}`
}
