/** Imports as the pages think of them, and the calls they make. Calls raise OfflineError or ProblemError. */
import { api, type Schema } from '../calls'

export type Import = Schema<'ImportRead'>
export type ImportBrief = Schema<'ImportBrief'>
export type ImportSheet = Schema<'ImportSheet'>
export type ImportColumn = Schema<'ImportColumn'>
export type ImportField = Schema<'ImportField'>
export type ImportKind = Schema<'ImportKind'>
export type ImportCounts = Schema<'ImportCounts'>
export type Problem = Schema<'ImportProblemRead'>
export type ProblemCount = Schema<'ImportProblemCount'>
export type Difference = Schema<'ImportDifferenceRead'>
export type ImportUndo = Schema<'ImportUndoRead'>
export type ImportLeft = Schema<'ImportLeftRead'>
export type Outcome = Difference['outcome']
export type PreviewDoor = Schema<'PreviewDoor'>
/** Column letter → field, null for a column that is not to be read. */
export type Mapping = Record<string, string | null>

export interface ProblemPage {
  items: Problem[]
  next: string | null
}

export interface DifferencePage {
  items: Difference[]
  next: string | null
}

/** What the import pages ask of the server. */
export interface ImportCalls {
  /** `asOf`: of when the file is, a day or an instant */
  create(file: File, kind: ImportKind, communityCode: string | null, asOf: string): Promise<string>
  get(id: string): Promise<Import>
  problems(id: string, code: string, cursor: string | null): Promise<ProblemPage>
  list(code: string, cursor: string | null): Promise<{ items: ImportBrief[]; next: string | null }>
  /** null: as it is said already */
  preview(id: string, mapping: Mapping | null, asOf: string | null): Promise<void>
  apply(id: string): Promise<void>
  fields(): Promise<ImportField[]>
  errors(id: string): Promise<Blob>
  differences(id: string, outcome: Outcome, cursor: string | null): Promise<DifferencePage>
  differenceBook(id: string): Promise<Blob>
  /** whether it can be undone, and what that would do or has done */
  undo(id: string): Promise<ImportUndo>
  undoNow(id: string): Promise<void>
  left(id: string, cursor: string | null): Promise<{ items: ImportLeft[]; next_cursor: string | null }>
}

const byId = (id: string) => ({ path: { import_id: id } })

export const importCalls: ImportCalls = {
  async create(file, kind, communityCode, asOf) {
    const form = new FormData()
    form.set('file', file)
    form.set('kind', kind)
    form.set('dry_run', 'true')
    form.set('as_of', asOf)
    if (communityCode) form.set('community_code', communityCode)
    const { data } = await api.POST('/api/v1/imports', {
      // the form stands for the body the types speak of
      body: form as never,
      bodySerializer: () => form,
    })
    return data!.id
  },
  async get(id) {
    const { data } = await api.GET('/api/v1/imports/{import_id}', { params: byId(id) })
    return data!
  },
  async problems(id, code, cursor) {
    const params = { ...byId(id), query: { code, cursor } }
    const { data } = await api.GET('/api/v1/imports/{import_id}', { params })
    return { items: data!.problems, next: data!.next_cursor }
  },
  async list(code, cursor) {
    const params = { query: { community_code: code, limit: 20, cursor } }
    const { data } = await api.GET('/api/v1/imports', { params })
    return { items: data!.items, next: data!.next_cursor }
  },
  async preview(id, mapping, asOf) {
    await api.POST('/api/v1/imports/{import_id}/preview', { params: byId(id), body: { mapping, as_of: asOf } })
  },
  async apply(id) {
    await api.POST('/api/v1/imports/{import_id}/apply', { params: byId(id), body: {} })
  },
  async fields() {
    const { data } = await api.GET('/api/v1/imports/fields')
    return data!.items
  },
  async errors(id) {
    const { data } = await api.GET('/api/v1/imports/{import_id}/errors.xlsx', { params: byId(id), parseAs: 'blob' })
    return data as unknown as Blob
  },
  async differences(id, outcome, cursor) {
    const params = { ...byId(id), query: { outcome, cursor, limit: 100 } }
    const { data } = await api.GET('/api/v1/imports/{import_id}/differences', { params })
    return { items: data!.items, next: data!.next_cursor }
  },
  async differenceBook(id) {
    const { data } = await api.GET('/api/v1/imports/{import_id}/differences.xlsx', { params: byId(id), parseAs: 'blob' })
    return data as unknown as Blob
  },
  async undo(id) {
    const { data } = await api.GET('/api/v1/imports/{import_id}/undo', { params: byId(id) })
    return data!
  },
  async undoNow(id) {
    await api.POST('/api/v1/imports/{import_id}/undo', { params: byId(id) })
  },
  async left(id, cursor) {
    const params = { ...byId(id), query: { cursor, limit: 100 } }
    const { data } = await api.GET('/api/v1/imports/{import_id}/left', { params })
    return data!
  },
}
