/**
 * What goes up beside the commands: photos, walk sheets that were printed without a network. A database of its own, so
 * that large things never stand in the way of records, and code of its own, fetched when there is something.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { Engine } from '../offline'
import { OfflineError, ProblemError, StorageError } from '../offline/types'

export interface Upload {
  /** made here; the server takes the same id once */
  id: string
  kind: 'photo' | 'sheet'
  householdId: string
  /** goes only once this record has left the outbox; a photo without one is part of a draft and stays */
  after: string | null
  isDraft: boolean
  /** ms since 1970 */
  at: number
  method: 'POST' | 'PUT'
  url: string
  type: string
  body: ArrayBuffer
  /** why the server does not take it */
  problem: string | null
}

interface UploadSchema extends DBSchema {
  uploads: { key: string; value: Upload; indexes: { householdId: string } }
}

function base64(body: ArrayBuffer): string {
  const bytes = new Uint8Array(body)
  let text = ''
  // as many as a call takes arguments
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}

/** What the server says of one thing and will say again; everything else is tried again later. */
const FINAL = new Set([400, 404, 409, 413, 415, 422])

export class Uploads {
  private sending: Promise<void> | null = null

  private constructor(
    private readonly db: IDBPDatabase<UploadSchema>,
    private readonly engine: Engine,
  ) {}

  /** Those of who is signed in. */
  static async open(engine: Engine): Promise<Uploads> {
    const db = await openDB<UploadSchema>(`pioneer-uploads-${engine.session?.accountId}`, 1, {
      upgrade: (made) => void made.createObjectStore('uploads', { keyPath: 'id' }).createIndex('householdId', 'householdId'),
    })
    return new Uploads(db, engine)
  }

  /** Count again what waits, and send it soon. */
  async changed(): Promise<void> {
    const waiting = await this.listWaiting()
    await this.engine.keepUploads(waiting.length, waiting[0]?.at ?? null)
    if (waiting.length) this.engine.syncSoon()
  }

  async put(upload: Upload): Promise<void> {
    try {
      await this.db.put('uploads', upload)
    } catch (error) {
      throw (error as DOMException).name === 'QuotaExceededError' ? new StorageError('full') : error
    }
  }

  async remove(id: string): Promise<void> {
    await this.db.delete('uploads', id)
  }

  async listOf(householdId: string): Promise<Upload[]> {
    return this.db.getAllFromIndex('uploads', 'householdId', householdId)
  }

  /** Everything that is on its way, oldest first. */
  async listWaiting(): Promise<Upload[]> {
    return (await this.db.getAll('uploads')).filter((one) => !one.isDraft).sort((a, b) => a.at - b.at)
  }

  /** Photos on their way, as a file of unsent records has them, oldest first, as many as `most` bytes hold. */
  async listForFile(most: number): Promise<{ photos: object[] }> {
    const photos: object[] = []
    let room = most
    for (const { kind, id, householdId, after, at, body } of await this.listWaiting()) {
      if (kind !== 'photo' || (room -= body.byteLength) < 0) continue
      photos.push({ id, household_id: householdId, visit_id: after, taken_at: new Date(at).toISOString(), content: base64(body) })
    }
    return { photos }
  }

  /** The drafts of a household now belong to a record; with null they are drafts again, as when it is taken back. */
  async attach(householdId: string, from: string | null, to: string | null): Promise<void> {
    for (const one of await this.listOf(householdId)) {
      if (one.kind === 'photo' && one.after === from) await this.put({ ...one, after: to, isDraft: to === null })
    }
  }

  /** Send what may go, one after the other and beside the records, which never wait for it. Never raises. */
  send(): Promise<void> {
    const locks = 'locks' in navigator ? navigator.locks : null
    const alone = async (): Promise<void> => {
      if (locks) await locks.request('pioneer-uploads', { ifAvailable: true }, (lock) => (lock ? this.sendAll() : undefined))
      else await this.sendAll()
    }
    this.sending ??= alone()
      .catch((error: unknown) => console.error(error))
      .finally(() => (this.sending = null))
    return this.sending
  }

  private async sendAll(): Promise<void> {
    const unsent = new Set((await this.engine.listOutbox()).map((item) => item.id))
    let isLess = false
    for (const one of await this.listWaiting()) {
      // a photo goes once its visit has gone
      if (one.problem || (one.after && unsent.has(one.after))) continue
      const problem = await this.sendOne(one)
      if (problem === 'later') break
      if (problem) await this.put({ ...one, problem })
      else await this.remove(one.id)
      isLess = true
    }
    if (!isLess) return
    const waiting = await this.listWaiting()
    await this.engine.keepUploads(waiting.length, waiting[0]?.at ?? null)
    await this.engine.report().catch(() => undefined)
  }

  /** null when it has arrived, `later` when it may arrive another time, else why it never will. */
  private async sendOne(one: Upload): Promise<string | null> {
    try {
      await this.engine.transport.request(one.after ? `${one.url}&visit_id=${one.after}` : one.url, { method: one.method, body: one.body, headers: { 'Content-Type': one.type } })
      return null
    } catch (error) {
      if (error instanceof ProblemError && (FINAL.has(error.status) || error.code === 'device_revoked')) return error.code
      if (error instanceof ProblemError || error instanceof OfflineError) return 'later'
      throw error
    }
  }

  /** Before all of the account leaves this phone: send, and forget the rest unless some of it may still go. */
  async finish(): Promise<boolean> {
    await this.send()
    if ((await this.listWaiting()).some((one) => !one.problem)) return false
    await this.db.clear('uploads')
    return true
  }

  close(): void {
    this.db.close()
  }
}
