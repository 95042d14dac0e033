/** When to sync next: soon after a change, later after each failure, and never before a time the server asked for. */

/** No server holds its phones off for longer, and no clock that was set back either. */
const MOST_PAUSE_MS = 300_000

/** How long to wait before the n-th try again: 2 s doubling to 5 minutes, half of it by chance. */
export function backoffMs(failures: number, random: () => number): number {
  const base = Math.min(2000 * 2 ** Math.max(failures - 1, 0), MOST_PAUSE_MS)
  return base / 2 + (random() * base) / 2
}

export interface ScheduleOptions {
  now: () => number
  random: () => number
  /** run something after so many ms; answers the way to call it off */
  later: (work: () => void, ms: number) => () => void
}

export class Schedule {
  private failures = 0
  private callOff: (() => void) | null = null
  private dueAt = 0
  private notBefore = 0

  constructor(
    private readonly options: ScheduleOptions,
    private readonly work: () => void,
  ) {}

  /** Work before long; an earlier time already set stays. */
  soon(delayMs: number): void {
    const now = this.options.now()
    if (this.notBefore - now > MOST_PAUSE_MS) this.notBefore = 0
    const at = Math.max(now + delayMs, this.notBefore)
    if (this.callOff && this.dueAt <= at) return
    this.stop()
    this.dueAt = at
    this.callOff = this.options.later(() => {
      this.callOff = null
      this.work()
    }, at - now)
  }

  /** It went well. */
  succeeded(): void {
    this.failures = 0
    this.notBefore = 0
  }

  /** It went wrong; `retryAfter` are the seconds the server asked for. */
  failed(retryAfter: number | null): void {
    this.failures += 1
    const askedMs = Math.min((retryAfter ?? 0) * 1000, MOST_PAUSE_MS)
    if (askedMs > 0) this.notBefore = this.options.now() + askedMs
    this.soon(Math.max(backoffMs(this.failures, this.options.random), askedMs))
  }

  stop(): void {
    this.callOff?.()
    this.callOff = null
  }
}
