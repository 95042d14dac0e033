/** Typing a sheet in: what has been typed is kept at every keystroke, each row is sent once, nothing is lost. */
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import type { components } from '../../api/types'
import { dayOf, formatTime, today } from '../../app/days'
import { engine } from '../../app/engine'
import { codeText, problemCode } from '../../app/problems'
import { newId } from '../../offline/ids'
import { entryOf, type Entry, type SheetRow, type TypedRow, type Wrong } from './rows'

type Sheet = components['schemas']['WalkSheetRead']
/** How a row stands: a word of `texts`, a code of the server's, or nothing yet. */
export type RowState = { word: 'saved' | 'flagged' | 'saving' | 'kept' | Wrong } | { code: string }

interface Kept {
  day: string
  time: string
  rows: Record<string, TypedRow>
}

/** One request at most so many rows, as the server takes. */
const BATCH = 50

export function useEntry(sheetId: string) {
  const sheet = shallowRef<Sheet | null>(null)
  const problem = ref('')
  const day = ref('')
  const time = ref('')
  const typed = reactive<Record<string, TypedRow>>({})
  const states = reactive<Record<string, RowState>>({})
  const key = `sheet:${sheetId}`

  async function load(): Promise<void> {
    try {
      const { data } = await engine.api.GET('/api/v1/walk-sheets/{walk_sheet_id}', { params: { path: { walk_sheet_id: sheetId } } })
      const kept = await engine.getDraft<Kept>(key)
      const printed = Date.parse(data!.printed_at)
      day.value = kept?.day ?? dayOf(printed)
      time.value = kept?.time ?? (dayOf(printed) === today() ? formatTime(printed) : '12:00')
      Object.assign(typed, kept?.rows ?? {})
      for (const row of data!.rows) if (row.entry) states[row.household_id] = { word: 'saved' }
      for (const [id, row] of Object.entries(typed)) if (row.isDone) states[id] = { word: 'kept' }
      sheet.value = data!
      problem.value = ''
      if (unsent.value) await sendKept()
    } catch (error) {
      problem.value = codeText(problemCode(error))
    }
  }

  // a reload, a closed tab or a dead computer loses nothing that stands here
  watch([typed, day, time], () => {
    if (sheet.value) void engine.saveDraft(key, { day: day.value, time: time.value, rows: JSON.parse(JSON.stringify(typed)) as Kept['rows'] })
  }, { deep: true, flush: 'sync' })

  /** the questions on the paper, in the version that was printed */
  const questions = computed(() => sheet.value?.form?.questions ?? [])
  const unsent = computed(() => Object.values(typed).filter((row) => row.isDone).length)
  const done = computed(() => sheet.value?.rows.filter((row) => row.entry).length ?? 0)

  /** What is typed of a row, begun when somebody first touches it. */
  function rowOf(row: SheetRow): TypedRow {
    return (typed[row.household_id] ??= { id: newId(Date.now()), outcome: '', temps: '', time: '', note: '', reason: '', own: [], isDone: false })
  }

  /** Send a row; false when something is wrong with it that the person can put right. */
  async function save(row: SheetRow): Promise<boolean> {
    const given = rowOf(row)
    const entry = entryOf(row, given, day.value, time.value, sheet.value!.fever_from, questions.value)
    if (typeof entry === 'string') {
      states[row.household_id] = { word: entry }
      return false
    }
    given.isDone = true
    states[row.household_id] = { word: 'saving' }
    void send([entry])
    return true
  }

  async function send(entries: Entry[]): Promise<void> {
    try {
      const { data } = await engine.api.POST('/api/v1/walk-sheets/{walk_sheet_id}/entries', { params: { path: { walk_sheet_id: sheetId } }, body: { entries } })
      data!.results.forEach((result, at) => settle(entries[at]!, result))
    } catch (error) {
      for (const entry of entries) states[entry.household_id] = { word: 'kept' }
      if (problemCode(error) !== 'offline') problem.value = codeText(problemCode(error))
    }
  }

  function settle(entry: Entry, result: components['schemas']['WalkEntryResult']): void {
    const home = entry.household_id
    if (result.status === 'not_taken' || result.status === 'rejected') {
      states[home] = { code: result.code ?? 'unknown' }
      const row = typed[home]
      if (!row) return
      row.isDone = false
      // the server remembers a rejected id as rejected
      if (result.status === 'rejected') row.id = newId(Date.now())
      if (result.code === 'asked_again') restate(home, { outcome: 'answered_all', asked_at: entry.recorded_at })
      return
    }
    states[home] = { word: result.status === 'flagged' ? 'flagged' : 'saved' }
    delete typed[home]
    const isAnswer = entry.outcome.startsWith('answered')
    restate(home, {
      entry: { visit_id: entry.id, outcome: entry.outcome, recorded_at: entry.recorded_at, entered_by_name: engine.session?.name ?? '' },
      outcome: entry.outcome,
      ...(isAnswer && { asked_at: entry.recorded_at, asked_by: sheet.value!.walker_name }),
    })
  }

  function restate(home: string, change: Partial<SheetRow>): void {
    const { value } = sheet
    if (value) sheet.value = { ...value, rows: value.rows.map((row) => (row.household_id === home ? { ...row, ...change } : row)) }
  }

  /** Send all that was typed to the end and has not got through. */
  async function sendKept(): Promise<void> {
    const rows = sheet.value?.rows.filter((row) => typed[row.household_id]?.isDone) ?? []
    const entries = rows.map((row) => entryOf(row, typed[row.household_id]!, day.value, time.value, sheet.value!.fever_from, questions.value))
    const ready = entries.filter((entry): entry is Entry => typeof entry !== 'string')
    for (let from = 0; from < ready.length; from += BATCH) await send(ready.slice(from, from + BATCH))
  }

  void load()
  return { sheet, problem, day, time, typed, states, unsent, done, questions, rowOf, save, sendKept, load }
}
