/**
 * The phone's engine: session, doors, outbox and sync in one object that screens read from and write to. It
 * knows no screen and no framework; what changes is told to its listeners.
 */
import { accountDatabase, type AccountSchema, type Connection } from './database'
import { newId } from './ids'
import { Outbox } from './outbox'
import { plainCopy } from './plain'
import { Schedule, type ScheduleOptions } from './schedule'
import { Syncer } from './sync'
import { Transport, type TransportOptions } from './transport'
import {
  INITIAL_STATUS,
  OfflineError,
  ProblemError,
  StorageError,
  type AreaRecord,
  type CommandName,
  type Commands,
  type DoorRecord,
  type FileKey,
  type OutboxItem,
  type Receipt,
  type Session,
  type Status,
} from './types'

export interface EngineOptions extends TransportOptions, ScheduleOptions {
  /** ms during which a record can be taken back before it may be sent */
  undoMs: number
  /** tells the other tabs that records (`changed`) or who is signed in (`session`) changed */
  channel: Pick<BroadcastChannel, 'postMessage' | 'close'> & { onmessage: ((event: MessageEvent) => void) | null } | null
  /** fetches what goes up beside the commands, when there is something */
  openUploads?: (engine: Engine) => Promise<Uploads>
  /** hears of faults nobody foresaw */
  report: (error: unknown) => void
}

type Listener = () => void
/** Doors that have changed, as they are now; none: only what waits; null: anything may have changed. */
type DataListener = (doors: readonly DoorRecord[] | null) => void

/** A clock that is wrong by no more (ms) is called right: the server asks no more of it. */
const CLOCK_SLACK_MS = 900_000

/** What goes up beside the commands, as the engine needs it (`src/uploads/store.ts`). */
export interface Uploads {
  /** send what may go; never raises */
  send(): Promise<void>
  /** as `send`, and forget what is left because it will never be taken; false when something may still go */
  finish(): Promise<boolean>
  /** photos on their way, as a file of unsent records has them, oldest first, as many as `most` bytes hold */
  listForFile(most: number): Promise<{ photos: object[] }>
  close(): void
}

/** How many records the server had confirmed on a Shanghai day when it last said so. */
interface Confirmed {
  day: string
  count: number
}

export class UnsentError extends Error {
  constructor(readonly count: number) {
    super(`${count} unsent`)
    this.name = 'UnsentError'
  }
}

export class Engine {
  readonly transport: Transport
  private database: Connection<AccountSchema> | null = null
  /** opened before it is known that it is wanted */
  private ahead: { accountId: string; database: Connection<AccountSchema> } | null = null
  private outbox: Outbox | null = null
  private syncer: Syncer | null = null
  private confirmed: Confirmed = { day: '', count: 0 }
  /** ms; of what waits beside the commands */
  private oldestUpload: number | null = null
  private uploads: Promise<Uploads> | null = null
  private readonly listeners = new Set<Listener>()
  private readonly dataListeners = new Set<DataListener>()
  private running: Promise<void> | null = null
  private again = false
  private isSwitching = false
  /** the server has revoked this device, and has all that it held */
  private isOver = false
  private readonly schedule: Schedule
  private state: Status = INITIAL_STATUS

  constructor(private readonly options: EngineOptions) {
    this.transport = new Transport(options)
    this.schedule = new Schedule(options, () => void this.sync())
    this.transport.onChange = () => this.set({})
    if (options.channel) options.channel.onmessage = (event) => void this.hear(event.data)
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

  /** Told after doors, areas, outbox or receipts changed, before whoever has changed them goes on. Answers the way to stop. */
  watch(listener: DataListener): () => void {
    this.dataListeners.add(listener)
    return () => this.dataListeners.delete(listener)
  }

  /**
   * Open the phone's databases and read who is signed in. Raises where the browser keeps nothing. The database of who is
   * `expected` is opened beside the other, and forgotten where it is somebody else.
   */
  async open(expected?: string | null): Promise<Session | null> {
    try {
      if (expected) {
        this.ahead = { accountId: expected, database: this.accountDatabase(expected) }
        // what is wrong with it is said when it is used
        void this.ahead.database.run(() => Promise.resolve()).catch(() => undefined)
      }
      const session = await this.transport.resume()
      if (session) await this.attach(session)
      else await this.ahead?.database.forget()
      return session
    } catch (error) {
      this.set({ storageProblem: error instanceof StorageError ? error.reason : 'broken' })
      throw error
    }
  }

  async close(): Promise<void> {
    this.schedule.stop()
    await this.halt()
    this.closeUploads()
    await this.database?.forget()
    await this.transport.close()
    this.options.channel?.close()
  }

  private async attach(session: Session): Promise<void> {
    await this.database?.forget()
    const { ahead } = this
    this.ahead = null
    const isExpected = ahead?.accountId === session.accountId
    if (!isExpected) await ahead?.database.forget()
    const database = isExpected ? ahead!.database : this.accountDatabase(session.accountId)
    this.database = database
    this.outbox = new Outbox(database, () => this.session?.name ?? '', this.options.undoMs, (doors) => this.tellData(doors))
    this.tellData(null)
    // in one transaction: each costs a slow phone several ms
    const read = database.run((db) => {
      const meta = db.transaction('meta').store
      return Promise.all(['confirmed', 'lastContactAt', 'clockErrorMs', 'uploads'].map((name) => meta.get(name)))
    })
    const [[kept, contact, clock, uploads], counts] = await Promise.all([read, this.outbox.count()])
    this.transport.lastContactAt ??= (contact as number | undefined) ?? null
    this.confirmed = (kept as Confirmed | undefined) ?? { day: '', count: 0 }
    const [count, oldest] = (uploads as [number, number | null] | undefined) ?? [0, null]
    this.oldestUpload = oldest
    this.set({ clockErrorMs: (clock as number | undefined) ?? 0, uploads: count })
    this.setCounts(counts)
  }

  private accountDatabase(accountId: string): Connection<AccountSchema> {
    return accountDatabase(this.options.databasePrefix, accountId, (isBlocked) => this.set({ storageProblem: isBlocked ? 'blocked' : null }))
  }

  private async detach(): Promise<void> {
    await this.database?.forget()
    this.database = this.outbox = null
    this.closeUploads()
    this.confirmed = { day: '', count: 0 }
    this.set({ waiting: 0, needsYou: 0, uploads: 0, confirmedToday: null, refusal: null })
    this.tellData(null)
  }

  /** Let the running sync end, at once and with nothing half done. */
  private async halt(): Promise<void> {
    this.syncer?.stop()
    this.transport.interrupt()
    await this.running?.catch(() => undefined)
  }

  private closeUploads(): void {
    void this.uploads?.then((uploads) => uploads.close())
    this.uploads = null
  }

  /** Change who is signed in while no sync runs: one person's records never travel under another's name. */
  private async switching<T>(work: () => Promise<T>): Promise<T> {
    this.isSwitching = true
    try {
      await this.halt()
      return await work()
    } finally {
      this.isSwitching = false
    }
  }

  private async hear(message: unknown): Promise<void> {
    if (message !== 'session') {
      this.tellData(null)
      return this.count()
    }
    await this.switching(async () => {
      const before = this.session?.accountId
      const session = await this.transport.resume()
      if (session && session.accountId !== before) await this.attach(session)
      if (!session) await this.detach()
      this.set({})
    })
  }

  async signIn(username: string, password: string): Promise<Session> {
    return this.enter(() => this.transport.signIn(username, password))
  }

  async acceptInvitation(code: string, password: string): Promise<Session> {
    return this.enter(() => this.transport.acceptInvitation(code, password))
  }

  private enter(sign: () => Promise<Session>): Promise<Session> {
    return this.switching(async () => {
      const session = await sign()
      await this.attach(session)
      this.options.channel?.postMessage('session')
      return session
    })
  }

  async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    await this.api.POST('/api/v1/auth/password', { body: { old_password: oldPassword, new_password: newPassword } })
    await this.transport.refreshSession()
    this.syncSoon(0)
  }

  /**
   * Sign out; raises UnsentError while something waits, unless `force`: then it stays for this account's return.
   * Everything else of the account leaves the phone.
   */
  async signOut({ force = false, everywhere = false } = {}): Promise<void> {
    const unsent = (await this.listOutbox()).length + this.state.uploads
    if (unsent > 0 && !force) throw new UnsentError(unsent)
    await this.switching(async () => {
      await this.transport.signOut(everywhere)
      await this.database?.write(['households', 'areas', 'receipts', 'drafts'], async (tx) => {
        await tx.objectStore('households').clear()
        await tx.objectStore('areas').clear()
        await tx.objectStore('receipts').clear()
        await tx.objectStore('drafts').clear()
      })
      await this.detach()
      this.options.channel?.postMessage('session')
    })
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

  async listOutbox(householdId?: string): Promise<OutboxItem[]> {
    return (await this.outbox?.list(householdId)) ?? []
  }

  /** Whom a file of unsent records is sealed for; undefined before the server has said. */
  async fileKey(): Promise<FileKey | undefined> {
    return this.database?.run((db) => db.get('meta', 'fileKey')) as Promise<FileKey | undefined>
  }

  async listReceipts(): Promise<Receipt[]> {
    return (await this.outbox?.receipts()) ?? []
  }

  async getDraft<T>(key: string): Promise<T | null> {
    const kept = await this.database?.run((db) => db.get('drafts', key))
    return (kept?.value as T | undefined) ?? null
  }

  async saveDraft(key: string, value: unknown): Promise<void> {
    const copy = plainCopy(value)
    await this.keeping(this.database?.write(['drafts'], (tx) => tx.objectStore('drafts').put({ key, value: copy, savedAt: this.options.now() })))
  }

  async clearDraft(key: string): Promise<void> {
    await this.database?.write(['drafts'], (tx) => tx.objectStore('drafts').delete(key))
  }

  // What the screens do.

  /** Record something; kept on the phone when this resolves. Answers the record's id. `made`: the record of a household that begins with it. */
  async perform<N extends CommandName>(name: N, payload: Commands[N], made?: DoorRecord): Promise<string> {
    return (await this.performAll([{ name, payload, made }]))[0]!
  }

  /** Record several things as one: a whole stair without an answer. Answers their ids, in order. */
  async performAll<N extends CommandName>(commands: readonly { name: N; payload: Commands[N]; made?: DoorRecord }[]): Promise<string[]> {
    if (!this.outbox) throw new Error('nobody is signed in')
    const clock = this.options.now()
    const { clockErrorMs } = this.state
    const now = clock - clockErrorMs
    const made = commands.map((command) => ({
      ...command,
      id: newId(now),
      recordedAt: new Date(now).toISOString(),
      ...(clockErrorMs && { clockErrorMs }),
    }))
    await this.keeping(this.outbox.perform(made, clock))
    this.set({ storageProblem: null })
    await this.changed()
    this.syncSoon(this.options.undoMs + 20)
    return made.map((command) => command.id)
  }

  /** Wait for a piece of keeping; that it failed for want of room is told in `status` too. */
  private async keeping<T>(work: Promise<T>): Promise<T>
  private async keeping<T>(work: Promise<T> | undefined): Promise<T | undefined>
  private async keeping<T>(work: Promise<T> | undefined): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      if (error instanceof StorageError) this.set({ storageProblem: error.reason })
      throw error
    }
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

  deviceId(): Promise<string> {
    return this.transport.deviceId()
  }

  // What goes up beside the commands: photos and the like.

  /** The account's uploads; raises where their code could not be fetched. */
  openUploads(): Promise<Uploads> {
    this.uploads ??= this.options.openUploads!(this)
    this.uploads.catch(() => (this.uploads = null))
    return this.uploads
  }

  /** Keep how much of it waits, and since when (ms). */
  async keepUploads(count: number, oldest: number | null): Promise<void> {
    await this.database?.write(['meta'], (tx) => tx.objectStore('meta').put([count, oldest], 'uploads'))
    this.oldestUpload = oldest
    this.set({ uploads: count })
    await this.changed([])
  }

  /** Tell the server what this phone still holds. */
  async report(): Promise<void> {
    await this.syncer?.report()
  }

  // Sync.

  /** Sync before long; an earlier time already set stays, and a pause the server asked for is kept. */
  syncSoon(delayMs = 300): void {
    this.schedule.soon(delayMs)
  }

  /**
   * Push, then pull, now. Never throws: what came of it is in `status`. Calls while it runs run it once more.
   * With a one-time password nothing is answered before it is changed, so nothing is asked.
   */
  sync(): Promise<void> {
    if (this.isSwitching || this.session?.mustChangePassword) return Promise.resolve()
    if (this.running) {
      this.again = true
      return this.running
    }
    this.running = this.runLocked()
      .catch(this.options.report)
      .finally(() => {
        this.running = null
      })
    return this.running
      .then(() => (this.isOver ? this.wipe() : this.state.uploads ? void this.openUploads().then((uploads) => uploads.send()) : undefined))
      .catch(this.options.report)
  }

  /**
   * Delete all that this revoked device holds of the account, once nothing of it waits any more; what the server
   * has refused goes with it. The phone is a new one to whoever signs in next.
   */
  private async wipe(): Promise<void> {
    this.isOver = false
    if (this.state.uploads && !(await (await this.openUploads()).finish())) return this.syncSoon(2000)
    await this.switching(async () => {
      const stores = ['households', 'areas', 'receipts', 'drafts', 'commands', 'meta'] as const
      const isEmpty = await this.database?.write([...stores], async (tx) => {
        const left = await tx.objectStore('commands').getAll()
        if (left.some((item) => item.state !== 'rejected')) return false
        for (const name of stores) await tx.objectStore(name).clear()
        return true
      })
      if (!isEmpty) return this.syncSoon(2000)
      await this.transport.signOut(false)
      await this.transport.forgetDevice()
      await this.detach()
      this.options.channel?.postMessage('session')
      this.set({ refusal: 'device_revoked' })
    })
  }

  private async runLocked(): Promise<void> {
    if (!this.database || !this.session) return
    const { locks, databasePrefix } = this.options
    const work = async (): Promise<void> => {
      do {
        this.again = false
        await this.runOnce()
      } while (this.again && !this.isSwitching)
    }
    if (!locks) return work()
    await locks.request(`${databasePrefix}-sync-${this.session.accountId}`, { ifAvailable: true }, async (lock) => {
      if (lock) await work()
      else this.syncSoon(2000)
    })
  }

  private async runOnce(): Promise<void> {
    const { database, outbox } = this
    if (!database || !outbox) return
    const who = (): string => this.session?.name ?? ''
    const tell = (loading: Status['loading']): void => this.set({ loading })
    const hear = (serverTime: string, askedAt: number, heardAt: number): void => this.hearClock(serverTime, askedAt, heardAt)
    const syncer = new Syncer(database, outbox, this.transport, this.options.now, who, () => this.oldestUpload, tell, hear)
    this.syncer = syncer
    this.set({ syncing: true })
    try {
      const pushed = await syncer.push()
      if (pushed !== null) await this.changed()
      const pulled = await syncer.pull()
      const confirmedToday = pushed || (await syncer.status())
      await this.keepConfirmed(confirmedToday)
      this.schedule.succeeded()
      this.set({ refusal: null, storageProblem: null })
      if (pulled) await this.changed(null)
      const next = await outbox.nextDue(this.options.now())
      if (next !== null) this.syncSoon(next + 20)
    } catch (error) {
      if (!this.isSwitching) this.afterFailure(error)
    } finally {
      this.set({ syncing: false })
    }
    await this.count()
  }

  /** Say what went wrong and when to try again: not before signing in, and never sooner than asked. */
  private afterFailure(error: unknown): void {
    if (error instanceof StorageError) this.set({ storageProblem: error.reason })
    else if (!(error instanceof OfflineError || error instanceof ProblemError)) this.options.report(error)
    const problem = error instanceof ProblemError ? error : null
    if (problem?.code === 'device_revoked') this.isOver = true
    if (problem?.status === 401) return
    if (problem?.status === 403) this.set({ refusal: problem.code })
    // somebody has reset the password: the session says so, and its owner is led to a new one
    if (problem?.code === 'password_change_needed') void this.transport.refreshSession().catch(() => undefined)
    this.schedule.failed(problem?.retryAfter ?? null)
  }

  /** How wrong this phone's clock is, by what the server's said in between. */
  private hearClock(serverTime: string, askedAt: number, heardAt: number): void {
    const errorMs = Math.round((askedAt + heardAt) / 2 - Date.parse(serverTime))
    this.set({ clockErrorMs: Math.abs(errorMs) > CLOCK_SLACK_MS ? errorMs : 0 })
  }

  /** The day it is, whatever this phone's clock says. */
  private today(): string {
    return shanghaiDay(this.options.now() - this.state.clockErrorMs)
  }

  private async keepConfirmed(count: number): Promise<void> {
    const confirmed = { day: this.today(), count }
    this.confirmed = confirmed
    await this.database?.write(['meta'], async (tx) => {
      await tx.objectStore('meta').put(confirmed, 'confirmed')
      await tx.objectStore('meta').put(this.transport.lastContactAt, 'lastContactAt')
      await tx.objectStore('meta').put(this.state.clockErrorMs, 'clockErrorMs')
    })
  }

  /** Say how many wait now, that something has changed to the other tabs, and what to the screens that have not heard. */
  private async changed(untold?: readonly DoorRecord[] | null): Promise<void> {
    if (untold !== undefined) this.tellData(untold)
    await this.count()
    this.options.channel?.postMessage('changed')
  }

  private async count(): Promise<void> {
    this.setCounts((await this.outbox?.count()) ?? { waiting: 0, needsYou: 0 })
  }

  private setCounts({ waiting, needsYou }: { waiting: number; needsYou: number }): void {
    const { day, count } = this.confirmed
    const confirmedToday = day === this.today() ? count : null
    this.set({ waiting: waiting + this.state.uploads, needsYou, confirmedToday })
  }

  private tellData(doors: readonly DoorRecord[] | null): void {
    for (const listener of this.dataListeners) listener(doors)
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
