/** The records this phone has made: those in the outbox, and the last ones the server has confirmed. */
import { onBeforeUnmount, shallowRef, type ShallowRef } from 'vue'
import { engine } from '../app/engine'
import { textOr } from '../app/i18n'
import { findDoor, fullAddress } from '../doors/queries'
import type { OutboxItem, Receipt } from '../offline/types'
import type { Tone } from '../ui/tone'

export type RecordState = 'waiting' | 'sending' | 'rejected' | 'confirmed' | 'flagged'

export interface OutboxRecord {
  id: string
  name: string
  state: RecordState
  /** where: address and head as they were */
  place: string
  /** what, in words: answered, no answer, … */
  what: string
  householdId: string
  /** ms, when it was recorded */
  at: number
  code: string | null
  /** what was typed; gone once it is confirmed */
  payload?: OutboxItem['payload']
}

const TONES: Record<RecordState, Tone> = { waiting: 'amber', sending: 'amber', confirmed: 'green', flagged: 'green', rejected: 'red' }

/** The colour of a record's state; its word stands with it. */
export function toneOfRecord(state: RecordState): Tone {
  return TONES[state]
}

/** The door's address and head as every other page writes them; as they were once it has left the phone. */
export function placeOf(record: OutboxRecord): string {
  const door = findDoor(record.householdId)
  return door ? [fullAddress(door), door.head].filter(Boolean).join(' ') : record.place
}

function whatWord(name: string, what: string | undefined): string {
  if (!what) return ''
  return textOr(name === 'care.record_visit' ? `care.${what}` : `state.${what}`, 'command.other')
}

function fromOutbox(item: OutboxItem): OutboxRecord {
  const { payload } = item
  return {
    id: item.id,
    name: item.name,
    state: item.state,
    place: item.label,
    what: whatWord(item.name, 'outcome' in payload ? payload.outcome : 'condition' in payload ? payload.condition : undefined),
    householdId: payload.household_id,
    at: Date.parse(item.recordedAt),
    code: item.lastProblem?.code ?? null,
    payload,
  }
}

function fromReceipt(receipt: Receipt): OutboxRecord {
  return {
    id: receipt.id,
    name: receipt.name,
    state: receipt.status === 'flagged' ? 'flagged' : 'confirmed',
    place: receipt.label,
    what: whatWord(receipt.name, receipt.what),
    householdId: receipt.householdId,
    at: Date.parse(receipt.recordedAt),
    code: receipt.code,
  }
}

/** Everything waiting, in need of a person, and lately confirmed, of one household or of all; newest first; null until read. */
export function useRecords(householdId?: string): ShallowRef<OutboxRecord[] | null> {
  const records = shallowRef<OutboxRecord[] | null>(null)
  let asked = 0
  async function read(): Promise<void> {
    const mine = ++asked
    const [items, receipts] = await Promise.all([engine.listOutbox(householdId), engine.listReceipts()])
    if (mine !== asked) return
    const found = [...items.map(fromOutbox), ...receipts.filter((one) => !householdId || one.householdId === householdId).map(fromReceipt)]
    records.value = found.sort((a, b) => b.at - a.at || b.id.localeCompare(a.id))
  }
  onBeforeUnmount(
    engine.watch((doors) => {
      if (!householdId || !doors?.length || doors.some((door) => door.id === householdId)) void read()
    }),
  )
  void read()
  return records
}
