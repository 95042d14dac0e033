/**
 * Push before pull, one syncer at a time. What the server cannot take for the moment is kept and tried again
 * with growing, jittered pauses; what it refuses as a whole is halved until the one bad record is found.
 */
import type { components } from '../api/types'
import type { AccountSchema, Connection } from './database'
import { expand, withPending, type AreaPull } from './doors'
import type { Outbox } from './outbox'
import { isKept } from './storage'
import type { Transport } from './transport'
import { OfflineError, ProblemError, type AreaRecord, type DoorRecord, type OutboxItem, type RoundRecord } from './types'

export const BATCH_COMMANDS = 50
export const BATCH_BYTES = 256_000
export const PAGE_HOUSEHOLDS = 500

/**
 * What is wrong with a request's content: no sense in sending the same again. A 403 is about the account, not
 * about a record, so it is none of these.
 */
function isRefusal(error: unknown): error is ProblemError {
  return error instanceof ProblemError && [400, 404, 409, 413, 422].includes(error.status)
}

/** the version of the app, put in by the build */
declare const __APP_VERSION__: string

type Held = components['schemas']['SyncAreaRead']

interface Homes {
  index(name: 'areaId'): { getAllKeys(areaId: string): Promise<string[]> }
}

export class Syncer {
  constructor(
    private readonly database: Connection<AccountSchema>,
    private readonly outbox: Outbox,
    private readonly transport: Transport,
    private readonly now: () => number,
    private readonly who: () => string,
    /** ms; the oldest of what waits beside the commands */
    private readonly oldestUpload: () => number | null,
    private readonly onLoading: (loading: { area: string; done: number; total: number } | null) => void,
    /** hears what the server's clock said while ours went from one to the other */
    private readonly onClock: (serverTime: string, askedAt: number, heardAt: number) => void,
  ) {}

  private isStopped = false

  /** Do nothing further: who is signed in is about to change. What is under way ends as if out of reach. */
  stop(): void {
    this.isStopped = true
  }

  private goOn(): void {
    if (this.isStopped) throw new OfflineError()
  }

  /** Send all that waits; answers the server's count of today's confirmed records, if anything was sent. */
  async push(): Promise<number | null> {
    let confirmedToday: number | null = null
    for (;;) {
      this.goOn()
      const batch = await this.outbox.takeBatch(this.now(), BATCH_COMMANDS, BATCH_BYTES)
      if (batch.length === 0) return confirmedToday
      try {
        confirmedToday = await this.send(batch)
      } catch (error) {
        await this.outbox.release(batch.map((item) => item.id), problemOf(error))
        throw error
      }
    }
  }

  /** What the server counts of today, asked for when nothing was sent that it would have told with; the key for a file comes along. What a push says of this phone is said here then. */
  async status(): Promise<number> {
    const askedAt = this.now()
    const { data } = await this.transport.api.GET('/api/v1/sync/status', { params: { query: await this.self([]) } })
    this.onClock(data!.server_time, askedAt, this.now())
    await this.database.write(['meta'], (tx) => tx.objectStore('meta').put(data!.file_key, 'fileKey'))
    return data!.confirmed_today
  }

  /** Tell the server what this phone still holds, without a record to send. */
  async report(): Promise<void> {
    await this.send([])
  }

  /** Since when the phone holds what this batch does not take with it; null when nothing is left. */
  private async oldestLeft(batch: readonly OutboxItem[]): Promise<string | null> {
    const upload = this.oldestUpload()
    const left = (await this.outbox.list()).filter((item) => !isAmong(batch, item)).map((item) => item.recordedAt)
    if (upload !== null) left.push(new Date(upload).toISOString())
    return left.sort()[0] ?? null
  }

  /** What the desk reads of this phone. */
  private async self(batch: readonly OutboxItem[]): Promise<{ oldest_unsent_at: string | null; app_version: string; keeps_storage: boolean | null }> {
    return { oldest_unsent_at: await this.oldestLeft(batch), app_version: __APP_VERSION__, keeps_storage: await isKept() }
  }

  private async send(batch: readonly OutboxItem[]): Promise<number> {
    this.goOn()
    try {
      const askedAt = this.now()
      const { data } = await this.transport.api.POST('/api/v1/sync/commands', {
        body: {
          device_id: await this.transport.deviceId(),
          sent_at: new Date(askedAt).toISOString(),
          ...(await this.self(batch)),
          commands: batch.map((item) => ({
            id: item.id,
            name: item.name,
            recorded_at: item.recordedAt,
            epoch: item.epoch,
            community_code: item.communityCode,
            clock_error_s: clockErrorOf(item),
            payload: item.payload as unknown as Record<string, never>,
          })),
        },
      })
      this.onClock(data!.server_time, askedAt, this.now())
      await this.outbox.settle(data!.results, this.now())
      const silent = batch.filter((item) => !isAmong(data!.results, item)).map((item) => item.id)
      if (silent.length > 0) {
        await this.outbox.release(silent)
        throw new OfflineError()
      }
      return data!.confirmed_today
    } catch (error) {
      if (!isRefusal(error) || !batch.length) throw error
      if (batch.length === 1) {
        await this.outbox.settle([{ id: batch[0]!.id, status: 'rejected', code: error.code, detail: error.title }], this.now())
        return 0
      }
      const half = Math.ceil(batch.length / 2)
      await this.send(batch.slice(0, half))
      return this.send(batch.slice(half))
    }
  }

  /** Fetch what the areas one holds have that is new; drop areas one no longer holds. */
  async pull(): Promise<boolean> {
    const { data } = await this.transport.api.GET('/api/v1/sync/areas')
    const held = data!
    const known = new Map((await this.database.run((db) => db.getAll('areas'))).map((area) => [area.id, area]))
    let changed = false
    for (const area of known.values()) {
      if (!held.some((other) => other.id === area.id)) {
        await this.drop(area.id)
        changed = true
      }
    }
    for (const area of held) {
      this.goOn()
      const before = known.get(area.id)
      const record: AreaRecord = {
        id: area.id,
        communityCode: area.community_code,
        communityName: area.community_name,
        name: area.name,
        epoch: area.epoch,
        version: before?.epoch === area.epoch ? before.version : -1,
        householdCount: area.household_count,
        findings: area.findings,
        rounds: [],
      }
      for (const one of area.rounds) {
        const round = await this.roundOf(one, area, before)
        if (round) record.rounds.push(round)
      }
      if (JSON.stringify(record) !== JSON.stringify(before)) {
        await this.database.write(['areas'], (tx) => tx.objectStore('areas').put(record))
        changed = true
      }
      if (record.version !== area.version) changed = (await this.load(record)) || changed
    }
    return changed
  }

  /** A round as the phone keeps it; what there is to know of it is fetched when it has changed. Null: it is over. */
  private async roundOf(round: Held['rounds'][number], area: Held, before: AreaRecord | undefined): Promise<RoundRecord | null> {
    let form = before?.rounds.find((one) => one.id === round.id)?.form
    // other doors are in the area: others of them may be meant
    if (round.revision && (form?.revision !== round.revision || (form.targets && area.version !== before?.version))) {
      try {
        form = (await this.transport.api.GET('/api/v1/sync/rounds/{round_id}', { params: { path: { round_id: round.id }, query: { area_id: area.id } } })).data
      } catch (error) {
        if (error instanceof ProblemError && error.status === 404) return null
        throw error
      }
    }
    return { id: round.id, title: round.title, startsOn: round.starts_on, endsOn: round.ends_on, isDay: round.is_day, form }
  }

  private async load(area: AreaRecord): Promise<boolean> {
    const since = Math.max(area.version, 0)
    if (since === 0) this.onLoading({ area: area.name, done: 0, total: area.householdCount })
    try {
      const { data } = await this.transport.api.GET('/api/v1/sync/areas/{area_id}', {
        params: { path: { area_id: area.id }, query: { since } },
      })
      this.goOn()
      await this.store(area, data!)
      return true
    } catch (error) {
      if (error instanceof ProblemError && error.status === 404) {
        await this.drop(area.id)
        return true
      }
      throw error
    } finally {
      this.onLoading(null)
    }
  }

  /** Write a pull, a page of doors at a time; the version only with the last page. */
  private async store(area: AreaRecord, pull: AreaPull): Promise<void> {
    const doors = expand(pull, area.id, area.communityCode)
    const keep = new Set(doors.map((door) => door.id))
    for (let from = 0; ; from += PAGE_HOUSEHOLDS) {
      const page = doors.slice(from, from + PAGE_HOUSEHOLDS)
      const isLast = from + PAGE_HOUSEHOLDS >= doors.length
      await this.database.write(['households', 'commands', 'areas'], async (tx) => {
        const homes = tx.objectStore('households')
        const pending = groupByDoor(await tx.objectStore('commands').getAll())
        const write = async (door: DoorRecord): Promise<void> => {
          await homes.put(withPending(door, pending.get(door.id) ?? [], this.who()))
          // a door that somebody has moved into is no longer a vacant one
          if (!door.vacant && !keep.has(door.dwellingId)) await homes.delete(door.dwellingId)
        }
        await Promise.all(page.map(write))
        if (!isLast) return
        for (const id of await this.goneOf(homes, area, pull, keep)) {
          // what was found here and waits to be sent is nothing that a pull could know of
          if (!(await homes.get(id))?.isMade) await homes.delete(id)
        }
        await tx.objectStore('areas').put({ ...area, version: pull.version, epoch: pull.epoch })
      })
      if (pull.reset) this.onLoading({ area: area.name, done: Math.min(from + PAGE_HOUSEHOLDS, doors.length), total: doors.length })
      if (isLast) return
    }
  }

  /** Doors of this area that leave the phone; one that has gone over to another of its areas stays. */
  private async goneOf(homes: Homes, area: AreaRecord, pull: AreaPull, keep: Set<string>): Promise<string[]> {
    const here = new Set(await homes.index('areaId').getAllKeys(area.id))
    const gone = pull.reset ? [...here] : pull.removed.filter((id) => here.has(id))
    return gone.filter((id) => !keep.has(id))
  }

  /** The area's doors leave the phone; records about them stay in the outbox. */
  private async drop(areaId: string): Promise<void> {
    await this.database.write(['households', 'areas'], async (tx) => {
      const homes = tx.objectStore('households')
      for (const id of await homes.index('areaId').getAllKeys(areaId)) await homes.delete(id)
      await tx.objectStore('areas').delete(areaId)
    })
  }
}

function isAmong(some: readonly { id: string }[], item: OutboxItem): boolean {
  return some.some((one) => one.id === item.id)
}

/** Whole seconds by which the clock was known to be wrong when a record was made; nothing where it was right. */
export function clockErrorOf(item: OutboxItem): number | undefined {
  return item.clockErrorMs ? Math.round(item.clockErrorMs / 1000) : undefined
}

function problemOf(error: unknown): OutboxItem['lastProblem'] {
  return error instanceof ProblemError ? { code: error.code, detail: error.title, status: error.status } : null
}

function groupByDoor(items: readonly OutboxItem[]): Map<DoorRecord['id'], OutboxItem[]> {
  const groups = new Map<string, OutboxItem[]>()
  for (const item of items) {
    if (item.state === 'rejected') continue
    const id = item.payload.household_id
    groups.set(id, [...(groups.get(id) ?? []), item])
  }
  return groups
}
