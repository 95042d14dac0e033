/**
 * The phone's database: one per account for doors, outbox, drafts and areas; a small one per phone for who is
 * signed in. iOS drops IndexedDB connections under the app's feet: every piece of work is tried once more on a
 * fresh connection.
 */
import { openDB, type DBSchema, type IDBPDatabase, type OpenDBCallbacks, type IDBPTransaction, type StoreNames } from 'idb'
import { StorageError, type AreaRecord, type DoorRecord, type OutboxItem, type Receipt, type Session } from './types'

export interface AccountSchema extends DBSchema {
  households: { key: string; value: DoorRecord; indexes: { areaId: string } }
  commands: { key: number; value: OutboxItem; indexes: { id: string; householdId: string; state: string } }
  receipts: { key: string; value: Receipt; indexes: { confirmedAt: number } }
  drafts: { key: string; value: { key: string; value: unknown; savedAt: number } }
  areas: { key: string; value: AreaRecord }
  meta: { key: string; value: unknown }
}

export interface Tokens {
  access: string
  /** ms; a little before the access token ends */
  renewAt: number
  refresh: string
  /** of a revoked device: good for sending what it holds and for signing out */
  isForOutbox?: boolean
}

export interface DeviceSchema extends DBSchema {
  device: { key: string; value: unknown }
}

export interface SignedIn {
  session: Session
  tokens: Tokens
}

type Opener<S extends DBSchema> = () => Promise<IDBPDatabase<S>>

/** A database that is opened when needed and opened again when its connection was lost. */
export class Connection<S extends DBSchema> {
  private open: Promise<IDBPDatabase<S>> | null = null

  constructor(private readonly opener: Opener<S>) {}

  private get(): Promise<IDBPDatabase<S>> {
    this.open ??= this.opener().catch((error: unknown) => {
      this.open = null
      throw error
    })
    return this.open
  }

  /** Do a piece of work; a lost connection is opened anew once, a full disk is a `StorageError`. */
  async run<T>(work: (db: IDBPDatabase<S>) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work(await this.get())
      } catch (error) {
        const name = (error as DOMException | null)?.name
        if (name === 'QuotaExceededError') throw new StorageError('full')
        const isLost = name === 'InvalidStateError' || name === 'UnknownError' || name === 'AbortError'
        if (!isLost) throw error
        if (attempt > 0) throw new StorageError('broken')
        await this.forget()
      }
    }
  }

  /** Write in one transaction: all of `work` or, when anything of it fails, nothing. */
  async write<N extends StoreNames<S>, T>(
    stores: N[],
    work: (tx: IDBPTransaction<S, N[], 'readwrite'>) => Promise<T>,
    durability: IDBTransactionDurability = 'default',
  ): Promise<T> {
    return this.run(async (db) => {
      const tx = db.transaction(stores, 'readwrite', { durability })
      const failure = tx.done.then(
        () => null,
        (error: unknown) => error ?? new Error('aborted'),
      )
      try {
        const result = await work(tx)
        const reason = await failure
        if (reason) throw reason
        return result
      } catch (error) {
        abort(tx)
        await failure
        // the cause, a full disk, rather than its echo
        throw tx.error ?? error
      }
    })
  }

  /** Close, if open. */
  async forget(): Promise<void> {
    const open = this.open
    this.open = null
    await open?.then(
      (db) => db.close(),
      () => undefined,
    )
  }
}

function abort(tx: { abort: () => void }): void {
  try {
    tx.abort()
  } catch {
    // it is over already
  }
}

/** What the account's database looks like; each step only adds, so that an app of yesterday can work with it too. */
const ACCOUNT_VERSION = 2

/**
 * Open a database. One that a newer version of the app has left is taken as it is: versions only add to it, and what
 * it holds must not be out of reach because the service was set back.
 */
async function openAs<S extends DBSchema>(name: string, version: number, callbacks: OpenDBCallbacks<S>): Promise<IDBPDatabase<S>> {
  try {
    return await openDB<S>(name, version, callbacks)
  } catch (error) {
    if ((error as DOMException).name !== 'VersionError') throw error
    return openDB<S>(name, undefined, callbacks)
  }
}

/** `onBlocked` hears of another tab that holds an older version and does not let go, and (false) when it has. */
export function accountDatabase(prefix: string, accountId: string, onBlocked: (isBlocked: boolean) => void = () => undefined): Connection<AccountSchema> {
  const connection: Connection<AccountSchema> = new Connection(async () => {
    let wasBlocked = false
    const open = await openAs<AccountSchema>(`${prefix}-${accountId}`, ACCOUNT_VERSION, {
      // all of it in one transaction: an app that dies meanwhile finds what was there before
      upgrade(db, before, _, tx) {
        if (before < 1) {
          db.createObjectStore('households', { keyPath: 'id' }).createIndex('areaId', 'areaId')
          const commands = db.createObjectStore('commands', { keyPath: 'seq', autoIncrement: true })
          commands.createIndex('id', 'id', { unique: true })
          commands.createIndex('householdId', 'payload.household_id')
          db.createObjectStore('receipts', { keyPath: 'id' }).createIndex('confirmedAt', 'confirmedAt')
          db.createObjectStore('drafts', { keyPath: 'key' })
          db.createObjectStore('areas', { keyPath: 'id' })
          db.createObjectStore('meta')
        }
        // how many wait is counted after every tap, and need not read them all
        if (before < 2) tx.objectStore('commands').createIndex('state', 'state')
      },
      blocked: () => onBlocked((wasBlocked = true)),
      // a newer version of the app in another tab may change the schema
      blocking: () => void connection.forget(),
      terminated: () => void connection.forget(),
    })
    if (wasBlocked) onBlocked(false)
    return open
  })
  return connection
}

export function deviceDatabase(prefix: string): Connection<DeviceSchema> {
  const connection: Connection<DeviceSchema> = new Connection(() =>
    openAs<DeviceSchema>(`${prefix}-device`, 1, {
      upgrade: (db) => void db.createObjectStore('device'),
      blocking: () => void connection.forget(),
      terminated: () => void connection.forget(),
    }),
  )
  return connection
}
