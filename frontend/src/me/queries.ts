/** The records this phone has made: those in the outbox, and the last ones the server has confirmed. */
import { onBeforeUnmount, shallowRef, type ShallowRef } from 'vue'
import { engine } from '../app/engine'
import { t } from '../app/i18n'
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
}

const TONES: Record<RecordState, Tone> = { waiting: 'amber', sending: 'amber', confirmed: 'green', flagged: 'green', rejected: 'red' }

/** The colour of a record's state; its word stands with it. */
export function toneOfRecord(state: RecordState): Tone {
  return TONES[state]
}


function fromOutbox(item: OutboxItem): OutboxRecord {
  const { payload } = item
  const what = 'outcome' in payload ? t(`state.${payload.outcome}`) : t(`care.${payload.condition}`)
  return {
    id: item.id,
    name: item.name,
    state: item.state,
    place: item.label,
    what,
    householdId: payload.household_id,
    at: Date.parse(item.recordedAt),
    code: item.lastProblem?.code ?? null,
  }
}

function fromReceipt(receipt: Receipt): OutboxRecord {
  return {
    id: receipt.id,
    name: receipt.name,
    state: receipt.status === 'flagged' ? 'flagged' : 'confirmed',
    place: receipt.label,
    what: '',
    householdId: receipt.householdId,
    at: Date.parse(receipt.recordedAt),
    code: receipt.code,
  }
}

/** Everything waiting, in need of a person, and lately confirmed; newest first; null until read. */
export function useRecords(): ShallowRef<OutboxRecord[] | null> {
  const records = shallowRef<OutboxRecord[] | null>(null)
  let asked = 0
  async function read(): Promise<void> {
    const mine = ++asked
    const [items, receipts] = await Promise.all([engine.listOutbox(), engine.listReceipts()])
    if (mine !== asked) return
    records.value = [...items.map(fromOutbox), ...receipts.map(fromReceipt)].sort((a, b) => b.at - a.at || b.id.localeCompare(a.id))
  }
  onBeforeUnmount(engine.watch(() => void read()))
  void read()
  return records
}
