/**
 * The outbox and the doors it changes. A change and its command go into one transaction; a command leaves only
 * on the server's answer for its very id, or when a person takes it back.
 */
import type { Connection, AccountSchema } from './database'
import { confirmed, withPending } from './doors'
import type { CommandName, Commands, DoorRecord, OutboxItem, Receipt } from './types'

type Database = Connection<AccountSchema>

const RECEIPTS_KEPT = 200

export interface NewCommand<N extends CommandName = CommandName> {
  id: string
  name: N
  payload: Commands[N]
  recordedAt: string
  holdUntil: number
}

export class Outbox {
  constructor(
    private readonly database: Database,
    private readonly who: () => string,
  ) {}

  /** Record commands about doors: the doors change and the commands wait, all or nothing. */
  async perform(commands: readonly NewCommand[]): Promise<void> {
    await this.database.run(async (db) => {
      const tx = db.transaction(['households', 'commands', 'areas', 'drafts'], 'readwrite', { durability: 'strict' })
      for (const command of commands) {
        const door = await tx.objectStore('households').get(command.payload.household_id)
        if (!door) throw new Error('no such door on this phone')
        const area = await tx.objectStore('areas').get(door.areaId)
        const item = {
          ...command,
          payload: structuredClone(command.payload),
          communityCode: door.communityCode,
          areaId: door.areaId,
          epoch: area?.epoch ?? 0,
          state: 'waiting',
          attempts: 0,
          lastProblem: null,
          label: labelOf(door),
        } as Omit<OutboxItem, 'seq'> as OutboxItem
        await tx.objectStore('commands').add(item)
        const pending = [...(await this.pendingOf(tx.objectStore('commands'), door.id))]
        await tx.objectStore('households').put(withPending(door, pending, this.who()))
      }
      await tx.done
    })
  }

  private async pendingOf(
    commands: { getAll: () => Promise<OutboxItem[]> },
    householdId: string,
  ): Promise<OutboxItem[]> {
    const all = await commands.getAll()
    return all.filter((item) => item.payload.household_id === householdId && item.state !== 'rejected')
  }

  /** Take commands back that have not begun to be sent; answers false when any has. */
  async undo(ids: readonly string[]): Promise<boolean> {
    return this.remove(ids, (item) => item.state === 'waiting' && item.attempts === 0)
  }

  /** A person gives a rejected record up. */
  async discard(id: string): Promise<boolean> {
    return this.remove([id], (item) => item.state === 'rejected')
  }

  private async remove(ids: readonly string[], may: (item: OutboxItem) => boolean): Promise<boolean> {
    return this.database.run(async (db) => {
      const tx = db.transaction(['households', 'commands'], 'readwrite')
      const commands = tx.objectStore('commands')
      const items = await Promise.all(ids.map((id) => commands.index('id').get(id)))
      const isPossible = items.every((item) => item && may(item))
      for (const item of isPossible ? items : []) {
        await commands.delete(item!.seq)
        const door = await tx.objectStore('households').get(item!.payload.household_id)
        if (!door) continue
        const rest = await this.pendingOf(commands, door.id)
        await tx.objectStore('households').put(withPending(door, rest, this.who()))
      }
      await tx.done
      return isPossible
    })
  }

  /** Send a rejected record again, under a new id: the old one stays rejected at the server. */
  async retry(id: string, freshId: string): Promise<void> {
    await this.database.run(async (db) => {
      const tx = db.transaction(['households', 'commands'], 'readwrite')
      const commands = tx.objectStore('commands')
      const item = await commands.index('id').get(id)
      if (item?.state === 'rejected') {
        await commands.put({ ...item, id: freshId, state: 'waiting', attempts: 0, holdUntil: 0, lastProblem: null })
        const door = await tx.objectStore('households').get(item.payload.household_id)
        if (door) {
          const pending = await this.pendingOf(commands, door.id)
          await tx.objectStore('households').put(withPending(door, pending, this.who()))
        }
      }
      await tx.done
    })
  }

  list(): Promise<OutboxItem[]> {
    return this.database.run((db) => db.getAll('commands'))
  }

  /** Newest first. */
  async receipts(): Promise<Receipt[]> {
    return (await this.database.run((db) => db.getAllFromIndex('receipts', 'confirmedAt'))).reverse()
  }

  /** The next records to send, oldest first, marked as being sent. */
  async takeBatch(now: number, most: number, mostBytes: number): Promise<OutboxItem[]> {
    return this.database.run(async (db) => {
      const tx = db.transaction('commands', 'readwrite')
      const batch: OutboxItem[] = []
      let bytes = 0
      for (const item of await tx.store.getAll()) {
        if (item.state === 'rejected') continue
        if (item.holdUntil > now) break
        bytes += JSON.stringify(item.payload).length + 200
        if (batch.length >= most || (batch.length > 0 && bytes > mostBytes)) break
        const sending: OutboxItem = { ...item, state: 'sending', attempts: item.attempts + 1 }
        await tx.store.put(sending)
        batch.push(sending)
      }
      await tx.done
      return batch
    })
  }

  /** The server has answered for these: they leave the outbox, or stay as rejected with the reason. */
  async settle(
    answers: readonly { id: string; status: string; code?: string | null; detail?: string | null }[],
    now: number,
  ): Promise<void> {
    await this.database.run(async (db) => {
      const tx = db.transaction(['households', 'commands', 'receipts'], 'readwrite')
      const commands = tx.objectStore('commands')
      for (const answer of answers) {
        const item = await commands.index('id').get(answer.id)
        if (!item) continue
        const door = await tx.objectStore('households').get(item.payload.household_id)
        if (answer.status === 'rejected') {
          const lastProblem = { code: answer.code ?? 'rejected', detail: answer.detail ?? null, status: 200 }
          await commands.put({ ...item, state: 'rejected', lastProblem })
          if (door) {
            const rest = await this.pendingOf(commands, door.id)
            await tx.objectStore('households').put(withPending(door, rest, this.who()))
          }
          continue
        }
        await commands.delete(item.seq)
        await tx.objectStore('receipts').put(receiptOf(item, answer.code ? 'flagged' : 'accepted', answer.code, now))
        if (door) {
          const rest = await this.pendingOf(commands, door.id)
          await tx.objectStore('households').put(confirmed(door, item, rest, this.who()))
        }
      }
      await prune(tx.objectStore('receipts'))
      await tx.done
    })
  }

  /** No answer for these: they wait again. */
  async release(ids: readonly string[]): Promise<void> {
    await this.database.run(async (db) => {
      const tx = db.transaction('commands', 'readwrite')
      for (const id of ids) {
        const item = await tx.store.index('id').get(id)
        if (item?.state === 'sending') await tx.store.put({ ...item, state: 'waiting' })
      }
      await tx.done
    })
  }
}

async function prune(receipts: {
  count: () => Promise<number>
  index: (name: 'confirmedAt') => { getAllKeys: (query: null, count: number) => Promise<string[]> }
  delete: (key: string) => Promise<void>
}): Promise<void> {
  const over = (await receipts.count()) - RECEIPTS_KEPT
  if (over <= 0) return
  for (const key of await receipts.index('confirmedAt').getAllKeys(null, over)) await receipts.delete(key)
}

function receiptOf(item: OutboxItem, status: Receipt['status'], code: string | null | undefined, now: number): Receipt {
  const { id, name, label, recordedAt } = item
  const householdId = item.payload.household_id
  return { id, name, householdId, label, status, code: code ?? null, recordedAt, confirmedAt: now }
}

/** Address and head, for lists. */
export function labelOf(door: DoorRecord): string {
  const place = door.address || [door.compound, door.building, door.stair, door.room].filter(Boolean).join('-')
  return door.head ? `${place} ${door.head}` : place
}
