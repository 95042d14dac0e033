/**
 * The outbox and the doors it changes. A change and its command go into one transaction; a command leaves only
 * on the server's answer for its very id, or when a person takes it back.
 */
import type { IDBPObjectStore, StoreNames } from 'idb'
import type { Connection, AccountSchema } from './database'
import { confirmed, withPending } from './doors'
import { plainCopy } from './plain'
import {
  DoorGoneError,
  StorageError,
  type CommandName,
  type Commands,
  type DoorRecord,
  type OutboxItem,
  type Receipt,
} from './types'

type Store<N extends StoreNames<AccountSchema>> = IDBPObjectStore<AccountSchema, StoreNames<AccountSchema>[], N, 'readwrite'>

const RECEIPTS_KEPT = 200
/** somebody else changed the same fact meanwhile */
const CONFLICT = 'edit_conflict'

export interface NewCommand<N extends CommandName = CommandName> {
  id: string
  name: N
  payload: Commands[N]
  recordedAt: string
  /** ms by which the phone's clock was known to be wrong; `recordedAt` is free of it */
  clockErrorMs?: number
  /** the record of a household that begins with this command */
  made?: DoorRecord
}

/** The server's answer for one command. */
export interface Answer {
  id: string
  status: 'accepted' | 'duplicate' | 'flagged' | 'rejected'
  first_status?: 'accepted' | 'flagged' | null
  code?: string | null
  detail?: string | null
}

/** Whether a piece of keeping failed for want of room. */
export function isFull(error: unknown): boolean {
  return error instanceof StorageError && error.reason === 'full'
}

export class Outbox {
  /** being sent, although the phone is too full to write that down */
  private readonly underWay = new Set<string>()

  constructor(
    private readonly database: Connection<AccountSchema>,
    /** the name that stands beside what this phone records */
    private readonly who: () => string,
    /** ms during which a record can be taken back and is not sent */
    private readonly undoMs: number,
    /** hears, in the order in which it was kept, of what changed here: these doors, as they are now; null: others too */
    private readonly tell: (doors: readonly DoorRecord[] | null) => void,
  ) {}

  /**
   * Record commands about doors: the doors change and the commands wait, all or nothing.
   * Raises `DoorGoneError` for a door that is not on this phone.
   */
  async perform(commands: readonly NewCommand[], now: number): Promise<void> {
    const work = async (tx: { objectStore: <N extends 'households' | 'commands' | 'areas'>(name: N) => Store<N> }) => {
      const outbox = tx.objectStore('commands')
      const written: DoorRecord[] = []
      for (const command of commands) {
        const households = tx.objectStore('households')
        const door = (await households.get(command.payload.household_id)) ?? command.made
        if (!door) throw new DoorGoneError(command.payload.household_id)
        // the commit may have come through although the connection was lost before we heard of it
        if ((await outbox.index('id').getKey(command.id)) !== undefined) {
          written.push(door)
          continue
        }
        const area = await tx.objectStore('areas').get(door.areaId)
        const item: Omit<OutboxItem, 'seq'> = {
          ...command,
          payload: plainCopy(command.payload),
          communityCode: door.communityCode,
          areaId: door.areaId,
          epoch: area?.epoch ?? 0,
          holdUntil: now + this.undoMs,
          state: 'waiting',
          attempts: 0,
          lastProblem: null,
          label: labelOf(door),
        }
        await outbox.add(item as OutboxItem)
        written.push(await this.redraw(households, outbox, door))
      }
      return written
    }
    this.tell(await this.database.write(['households', 'commands', 'areas'], work, 'strict'))
  }

  /** Write a door anew from the server's facts and what waits on top of them. */
  private async redraw(households: Store<'households'>, commands: Store<'commands'>, door: DoorRecord): Promise<DoorRecord> {
    const drawn = withPending(door, await pendingOf(commands, door.id), this.who())
    await households.put(drawn)
    return drawn
  }

  /** Take commands back that have not begun to be sent; answers false, and takes none, when any has. */
  async undo(ids: readonly string[]): Promise<boolean> {
    return this.remove(ids, (item) => item.state === 'waiting' && item.attempts === 0 && !this.underWay.has(item.id))
  }

  /** A person gives a rejected record up. */
  async discard(id: string): Promise<boolean> {
    return this.remove([id], (item) => item.state === 'rejected')
  }

  private async remove(ids: readonly string[], may: (item: OutboxItem) => boolean): Promise<boolean> {
    const written = await this.database.write(['households', 'commands'], async (tx) => {
      const commands = tx.objectStore('commands')
      const items = await itemsOf(commands, ids)
      if (!items.every((item) => item && may(item))) return null
      const doors: DoorRecord[] = []
      for (const item of items) {
        await commands.delete(item!.seq)
        const households = tx.objectStore('households')
        const door = await households.get(item!.payload.household_id)
        if (item!.name === 'people.add_household') await households.delete(door?.id ?? '')
        else if (door) doors.push(await this.redraw(households, commands, door))
      }
      return { doors: items.some((item) => item!.name === 'people.add_household') ? null : doors }
    })
    if (written) this.tell(written.doors)
    return !!written
  }

  /** Send a rejected record again, under a new id: the old one stays rejected at the server. */
  async retry(id: string, freshId: string): Promise<void> {
    const written = await this.database.write(['households', 'commands'], async (tx) => {
      const commands = tx.objectStore('commands')
      const households = tx.objectStore('households')
      const item = await commands.index('id').get(id)
      if (item?.state !== 'rejected') return []
      await commands.put({ ...item, id: freshId, state: 'waiting', attempts: 0, holdUntil: 0, lastProblem: null })
      const door = await households.get(item.payload.household_id)
      return door ? [await this.redraw(households, commands, door)] : []
    })
    this.tell(written)
  }

  /** How many wait for the server, and how many for a person. */
  async count(): Promise<{ waiting: number; needsYou: number }> {
    const [all, needsYou] = await this.database.run((db) => {
      const { store } = db.transaction('commands')
      return Promise.all([store.count(), store.index('state').count('rejected')])
    })
    return { waiting: all - needsYou, needsYou }
  }

  /** Oldest first; those about one household, or all. */
  list(householdId?: string): Promise<OutboxItem[]> {
    return this.database.run((db) => (householdId ? db.getAllFromIndex('commands', 'householdId', householdId) : db.getAll('commands')))
  }

  /** Newest first. */
  async receipts(): Promise<Receipt[]> {
    return (await this.database.run((db) => db.getAllFromIndex('receipts', 'confirmedAt'))).reverse()
  }

  /**
   * Whether the record may still be taken back. A clock that was set back does not hold it for longer than the
   * window.
   */
  private isHeld(item: OutboxItem, now: number): boolean {
    return item.holdUntil > now && item.holdUntil - now <= this.undoMs
  }

  /** ms until the next record may be sent, null when none waits. */
  async nextDue(now: number): Promise<number | null> {
    const next = (await this.list()).find((item) => item.state !== 'rejected')
    if (!next) return null
    return this.isHeld(next, now) ? next.holdUntil - now : 0
  }

  /** The next records to send, oldest first, marked as being sent: written down, or on a full phone only known. */
  async takeBatch(now: number, most: number, mostBytes: number): Promise<OutboxItem[]> {
    try {
      return await this.take(now, most, mostBytes, true)
    } catch (error) {
      if (!isFull(error)) throw error
      // sending is what makes room
      const batch = await this.take(now, most, mostBytes, false)
      for (const { id } of batch) this.underWay.add(id)
      return batch
    }
  }

  private async take(now: number, most: number, mostBytes: number, isMarked: boolean): Promise<OutboxItem[]> {
    return this.database.write(['commands'], async (tx) => {
      const commands = tx.objectStore('commands')
      const batch: OutboxItem[] = []
      let bytes = 0
      const rejected = await commands.index('state').count('rejected')
      for (const item of await commands.getAll(null, most + 1 + rejected)) {
        if (item.state === 'rejected') continue
        if (this.isHeld(item, now)) break
        bytes += byteLength(item.payload) + ENVELOPE_BYTES
        if (batch.length >= most || (batch.length > 0 && bytes > mostBytes)) break
        const sending: OutboxItem = { ...item, state: 'sending', attempts: item.attempts + 1 }
        batch.push(sending)
      }
      if (isMarked) await Promise.all(batch.map(async (item) => commands.put(item)))
      return batch
    })
  }

  /**
   * The server has answered for these: they leave the outbox, or stay as rejected with the reason. On a full phone
   * the receipts give way, so that an answer is never lost for want of room; on one where nothing at all can be
   * written the records leave, the doors are drawn by the next pull, and what was rejected is asked about again
   * (StorageError).
   */
  async settle(answers: readonly Answer[], now: number): Promise<void> {
    for (const { id } of answers) this.underWay.delete(id)
    for (const isRoomForReceipts of [true, false])
      try {
        return await this.write(answers, now, isRoomForReceipts)
      } catch (error) {
        if (!isFull(error)) throw error
      }
    const taken = answers.filter((answer) => answer.status !== 'rejected')
    await this.database.write(['commands'], async (tx) => {
      const commands = tx.objectStore('commands')
      for (const item of await itemsOf(commands, taken)) if (item) await commands.delete(item.seq)
    })
    this.tell([])
    if (taken.length < answers.length) throw new StorageError('full')
  }

  private async write(answers: readonly Answer[], now: number, isRoomForReceipts: boolean): Promise<void> {
    const written = await this.database.write(['households', 'commands', 'receipts'], async (tx) => {
      const commands = tx.objectStore('commands')
      const households = tx.objectStore('households')
      const receipts = tx.objectStore('receipts')
      if (!isRoomForReceipts) await receipts.clear()
      // side by side: each wait for the database in turn was most of what a batch took on a slow phone
      const items = await itemsOf(commands, answers)
      const homes = new Set(items.flatMap((item) => (item ? [item.payload.household_id] : [])))
      const doors = await Promise.all([...homes].map((id) => households.get(id)))
      await Promise.all(
        items.map(async (item, at) => {
          const answer = answers[at]!
          if (!item) return
          if (answer.status === 'rejected')
            return commands.put({ ...item, state: 'rejected', lastProblem: { code: answer.code ?? 'rejected', detail: answer.detail ?? null, status: 200 } })
          return Promise.all([isRoomForReceipts && receipts.put(receiptOf(item, answer, now)), commands.delete(item.seq)])
        }),
      )
      // of a conflict the server's value stands; what else it took over comes with the pull that follows
      const settled = (door: DoorRecord): DoorRecord =>
        items.reduce(
          (known, item, at) =>
            item?.payload.household_id !== door.id || answers[at]!.status === 'rejected' || answers[at]!.code === CONFLICT ? known : confirmed(known, item, this.who()),
          door,
        )
      await prune(receipts)
      return Promise.all(doors.flatMap((door) => (door ? [this.redraw(households, commands, settled(door))] : [])))
    })
    this.tell(written)
  }

  /** No answer for these: they wait again, with what stood in the way; on a full phone they stay `sending`, which is as good. */
  async release(ids: readonly string[], lastProblem: OutboxItem['lastProblem'] = null): Promise<void> {
    for (const id of ids) this.underWay.delete(id)
    try {
      await this.database.write(['commands'], async (tx) => {
        const commands = tx.objectStore('commands')
        const items = await itemsOf(commands, ids)
        await Promise.all(items.map(async (item) => item?.state === 'sending' && commands.put({ ...item, state: 'waiting', lastProblem })))
      })
    } catch (error) {
      if (!isFull(error)) throw error
    }
    this.tell([])
  }
}

/** id, name, times and the like, around a payload */
const ENVELOPE_BYTES = 260

/** Bytes of a payload as JSON in UTF-8. */
function byteLength(payload: unknown): number {
  return new TextEncoder().encode(JSON.stringify(payload)).length
}

/** Records by their ids, or those of answers, read side by side. */
function itemsOf(commands: Store<'commands'>, ids: readonly (string | Answer)[]): Promise<(OutboxItem | undefined)[]> {
  return Promise.all(ids.map((one) => commands.index('id').get((one as Answer).id ?? one)))
}

/** What has not been answered about a door, oldest first. */
async function pendingOf(commands: Store<'commands'>, householdId: string): Promise<OutboxItem[]> {
  const all = await commands.index('householdId').getAll(householdId)
  return all.filter((item) => item.state !== 'rejected')
}

async function prune(receipts: Store<'receipts'>): Promise<void> {
  const over = (await receipts.count()) - RECEIPTS_KEPT
  if (over <= 0) return
  for (const key of await receipts.index('confirmedAt').getAllKeys(null, over)) await receipts.delete(key)
}

function receiptOf(item: OutboxItem, answer: Answer, now: number): Receipt {
  const { id, name, label, recordedAt } = item
  const isFlagged = (answer.first_status ?? answer.status) === 'flagged'
  return {
    id,
    name,
    householdId: item.payload.household_id,
    label,
    what: whatOf(item.payload),
    status: isFlagged ? 'flagged' : 'accepted',
    code: answer.code ?? null,
    recordedAt,
    confirmedAt: now,
  }
}

/** The outcome or condition that a record says; nothing for a correction. */
export function whatOf(payload: OutboxItem['payload']): string | undefined {
  if ('outcome' in payload) return payload.outcome
  return 'condition' in payload ? payload.condition : undefined
}

/** Address and head, for lists. */
export function labelOf(door: DoorRecord): string {
  const place = door.address || [door.compound, door.building, door.stair, door.room].filter(Boolean).join('-')
  return door.head ? `${place} ${door.head}` : place
}
