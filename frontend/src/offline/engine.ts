/**
 * The phone's engine: session, doors, outbox and sync in one object that screens read from and write to. It
 * knows no screen and no framework; what changes is told to its listeners.
 */
import { accountDatabase, type AccountSchema, type Connection } from './database'
import { newId } from './ids'
import { Outbox } from './outbox'
import { backoffMs, Syncer } from './sync'
import { Transport, type TransportOptions } from './transport'
import {
  OfflineError,
  ProblemError,
  StorageError,
  type AreaRecord,
  type CommandName,
  type Commands,
  type DoorRecord,
  type OutboxItem,
  type Receipt,
  type Session,
  type Status,
} from './types'

export interface EngineOptions extends TransportOptions {
  /** ms during which a record can be taken back before it may be sent */
  undoMs: number
  random: () => number
  /** tells other tabs of the same account that something changed */
  channel: Pick<BroadcastChannel, 'postMessage' | 'close'> & { onmessage: ((event: MessageEvent) => void) | null } | null
}

type Listener = () => void

export class UnsentError extends Error {
  constructor(readonly count: number) {
    super(`${count} unsent`)
    this.name = 'UnsentError'
  }
}

export class Engine {
  readonly transport: Transport
  private database: Connection<AccountSchema> | null = null
  private outbox: Outbox | null = null
  private syncer: Syncer | null = null
  private readonly listeners = new Set<Listener>()
  private readonly dataListeners = new Set<Listener>()
  private running: Promise<void> | null = null
  private again = false
  private failures = 0
  private timer: ReturnType<typeof setTimeout> | null = null
  private state: Status = {
    online: true,
    syncing: false,
    waiting: 0,
    needsYou: 0,
    lastContactAt: null,
    confirmedToday: 0,
    signInNeeded: false,
    loading: null,
    storageProblem: null,
  }

  constructor(private readonly options: EngineOptions) {
    this.transport = new Transport(options)
    this.transport.onChange = () => this.set({})
    if (options.channel) options.channel.onmessage = () => void this.refresh()
  }

  get session(): Session | null {
    return this.transport.session
  }

  get status(): Status {
    return this.state
  }

  /** Every call of the API for what is online by nature (claims, the desk); throws OfflineError, ProblemError. */
  get api(): Transport['api'] {
    return this.transport.api
  }

  /** Told after every change of `status`. Answers the way to stop. */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Told after doors, areas, outbox or receipts changed. Answers the way to stop. */
  watch(listener: Listener): () => void {
    this.dataListeners.add(listener)
    return () => this.dataListeners.delete(listener)
  }

  /** Open the phone's databases and read who is signed in. */
  async open(): Promise<Session | null> {
    const session = await this.transport.resume()
    if (session) await this.attach(session)
    return session
  }

  async close(): Promise<void> {
    if (this.timer) clearTimeout(this.timer)
    await this.running?.catch(() => undefined)
    await this.database?.forget()
    await this.transport.close()
    this.options.channel?.close()
  }

  private async attach(session: Session): Promise<void> {
    await this.database?.forget()
    const database = accountDatabase(this.options.databasePrefix, session.accountId)
    const who = (): string => this.session?.name ?? ''
    this.database = database
    this.outbox = new Outbox(database, who)
    this.syncer = new Syncer(database, this.outbox, this.transport, this.options.now, who, (loading) => this.set({ loading }))
    const kept = (await database.run((db) => db.get('meta', 'confirmed'))) as { day: string; count: number } | undefined
    const contact = (await database.run((db) => db.get('meta', 'lastContactAt'))) as number | undefined
    this.transport.lastContactAt ??= contact ?? null
    this.set({ confirmedToday: kept?.day === shanghaiDay(this.options.now()) ? kept.count : 0 })
    await this.refresh()
  }

  async signIn(username: string, password: string): Promise<Session> {
    const session = await this.transport.signIn(username, password)
    await this.attach(session)
    return session
  }

  async acceptInvitation(code: string, password: string): Promise<Session> {
    const session = await this.transport.acceptInvitation(code, password)
    await this.attach(session)
    return session
  }

  async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    await this.api.POST('/api/v1/auth/password', { body: { old_password: oldPassword, new_password: newPassword } })
    await this.transport.refreshSession()
  }

  /** Sign out; raises UnsentError while something waits, unless `force`: then it waits for this account's return. */
  async signOut({ force = false, everywhere = false } = {}): Promise<void> {
    const unsent = (await this.listOutbox()).length
    if (unsent > 0 && !force) throw new UnsentError(unsent)
    await this.transport.signOut(everywhere)
    await this.database?.run(async (db) => {
      const tx = db.transaction(['households', 'areas', 'receipts', 'drafts'], 'readwrite')
      await Promise.all(['households', 'areas', 'receipts', 'drafts'].map((name) => tx.objectStore(name as 'areas').clear()))
      await tx.done
    })
    await this.database?.forget()
    this.database = this.outbox = this.syncer = null
    this.set({ waiting: 0, needsYou: 0, confirmedToday: 0, signInNeeded: false })
    this.tellData()
  }

  // What the screens read.

  async listAreas(): Promise<AreaRecord[]> {
    return (await this.database?.run((db) => db.getAll('areas'))) ?? []
  }

  async listDoors(areaId?: string): Promise<DoorRecord[]> {
    return (
      (await this.database?.run((db) =>
        areaId ? db.getAllFromIndex('households', 'areaId', areaId) : db.getAll('households'),
      )) ?? []
    )
  }

  async getDoor(id: string): Promise<DoorRecord | null> {
    return (await this.database?.run((db) => db.get('households', id))) ?? null
  }

  async listOutbox(): Promise<OutboxItem[]> {
    return (await this.outbox?.list()) ?? []
  }

  async listReceipts(): Promise<Receipt[]> {
    return (await this.outbox?.receipts()) ?? []
  }

  async getDraft<T>(key: string): Promise<T | null> {
    const kept = await this.database?.run((db) => db.get('drafts', key))
    return (kept?.value as T | undefined) ?? null
  }

  async saveDraft(key: string, value: unknown): Promise<void> {
    const copy = structuredClone(value)
    await this.database?.run((db) => db.put('drafts', { key, value: copy, savedAt: this.options.now() }))
  }

  async clearDraft(key: string): Promise<void> {
    await this.database?.run((db) => db.delete('drafts', key))
  }

  // What the screens do.

  /** Record something; kept on the phone when this resolves. Answers the record's id. */
  async perform<N extends CommandName>(name: N, payload: Commands[N]): Promise<string> {
    return (await this.performAll([{ name, payload }]))[0]!
  }

  /** Record several things as one: a whole stair without an answer. Answers their ids, in order. */
  async performAll<N extends CommandName>(commands: readonly { name: N; payload: Commands[N] }[]): Promise<string[]> {
    if (!this.outbox) throw new Error('nobody is signed in')
    const now = this.options.now()
    const made = commands.map((command) => ({
      ...command,
      id: newId(now),
      recordedAt: new Date(now).toISOString(),
      holdUntil: now + this.options.undoMs,
    }))
    try {
      await this.outbox.perform(made)
    } catch (error) {
      if (error instanceof StorageError) this.set({ storageProblem: error.reason })
      throw error
    }
    this.set({ storageProblem: null })
    await this.changed()
    this.syncSoon(this.options.undoMs + 20)
    return made.map((command) => command.id)
  }

  /** Take records back that have not begun to be sent; false when it is too late. */
  async undo(ids: readonly string[]): Promise<boolean> {
    const undone = (await this.outbox?.undo(ids)) ?? false
    await this.changed()
    return undone
  }

  async retry(id: string): Promise<void> {
    await this.outbox?.retry(id, newId(this.options.now()))
    await this.changed()
    this.syncSoon(0)
  }

  async discard(id: string): Promise<void> {
    await this.outbox?.discard(id)
    await this.changed()
  }

  /** Unsent records as JSON, for a phone that will not get through any more. */
  async exportUnsent(): Promise<string> {
    const commands = (await this.listOutbox()).map((item) => ({
      id: item.id,
      name: item.name,
      recorded_at: item.recordedAt,
      epoch: item.epoch,
      community_code: item.communityCode,
      payload: item.payload,
    }))
    const device_id = await this.transport.deviceId()
    return JSON.stringify({ device_id, account: this.session?.login, exported_at: new Date(this.options.now()).toISOString(), commands }, null, 1)
  }

  // Sync.

  /** Sync before long; a failure before does not hold this one back. */
  syncSoon(delayMs = 300): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.sync(), delayMs)
  }

  /** Push, then pull, now. Never throws: what came of it is in `status`. Calls while it runs run it once more. */
  sync(): Promise<void> {
    if (this.running) {
      this.again = true
      return this.running
    }
    this.running = this.runLocked().finally(() => {
      this.running = null
    })
    return this.running
  }

  private async runLocked(): Promise<void> {
    if (!this.syncer || !this.session) return
    const { locks, databasePrefix } = this.options
    const work = async (): Promise<void> => {
      do {
        this.again = false
        await this.runOnce()
      } while (this.again)
    }
    if (!locks) return work()
    await locks.request(`${databasePrefix}-sync-${this.session.accountId}`, { ifAvailable: true }, async (lock) => {
      if (lock) await work()
      else this.syncSoon(2000)
    })
  }

  private async runOnce(): Promise<void> {
    const syncer = this.syncer
    if (!syncer) return
    this.set({ syncing: true })
    let pauseMs: number | null = null
    try {
      const pushed = await syncer.push()
      await this.changed()
      const pulled = await syncer.pull()
      const confirmedToday = pushed || (await this.api.GET('/api/v1/sync/status')).data!.confirmed_today
      await this.keepConfirmed(confirmedToday)
      this.failures = 0
      this.set({ signInNeeded: false })
      if (pulled) await this.changed()
    } catch (error) {
      pauseMs = this.afterFailure(error)
    }
    this.set({ syncing: false })
    await this.refresh()
    const next = await this.nextDue()
    if (pauseMs !== null) this.syncSoon(pauseMs)
    else if (next !== null) this.syncSoon(next)
  }

  private afterFailure(error: unknown): number | null {
    if (error instanceof StorageError) this.set({ storageProblem: error.reason })
    else if (!(error instanceof OfflineError || error instanceof ProblemError)) throw error
    if (error instanceof ProblemError && error.status === 401) return null
    this.failures += 1
    return backoffMs(this.failures, this.options.random, error instanceof ProblemError ? error.retryAfter : null)
  }

  /** ms until the next record may be sent, null when none waits. */
  private async nextDue(): Promise<number | null> {
    const waiting = (await this.listOutbox()).filter((item) => item.state !== 'rejected')
    if (waiting.length === 0) return null
    return Math.max(Math.min(...waiting.map((item) => item.holdUntil)) - this.options.now(), 0) + 20
  }

  private async keepConfirmed(count: number): Promise<void> {
    const day = shanghaiDay(this.options.now())
    this.set({ confirmedToday: count })
    await this.database?.run(async (db) => {
      await db.put('meta', { day, count }, 'confirmed')
      await db.put('meta', this.transport.lastContactAt, 'lastContactAt')
    })
  }

  private async changed(): Promise<void> {
    await this.refresh()
    this.options.channel?.postMessage('changed')
  }

  private async refresh(): Promise<void> {
    const items = await this.listOutbox()
    const needsYou = items.filter((item) => item.state === 'rejected').length
    this.set({ waiting: items.length - needsYou, needsYou })
    this.tellData()
  }

  private tellData(): void {
    for (const listener of this.dataListeners) listener()
  }

  private set(change: Partial<Status>): void {
    const { online, lastContactAt, signInNeeded } = this.transport
    this.state = { ...this.state, ...change, online, lastContactAt, signInNeeded }
    for (const listener of this.listeners) listener()
  }
}

/** The Asia/Shanghai day of an instant, YYYY-MM-DD. */
export function shanghaiDay(ms: number): string {
  return new Date(ms + 8 * 3_600_000).toISOString().slice(0, 10)
}
