/** Flagged knocks, care visits and edits of the registry, read and judged in one way. */
import { t as app } from '../../app/i18n'
import { api, call, type Schema } from '../calls'
import { t } from './texts'

export type Kind = 'door' | 'care' | 'edit'
export type Verdict = Schema<'Verdict'>
type Visit = Schema<'DoorVisitRead'>
type Edit = Schema<'FlaggedEditRead'>

/** A flagged record as its list shows it. */
export interface Flagged extends Pick<Visit, 'id' | 'household_id' | 'address' | 'head_name' | 'recorded_at' | 'received_at' | 'actor_name' | 'verdict' | 'judged_at' | 'judged_by_name' | 'reason'> {
  what: string
  note: string | null
  why: string
}

const FLAGS = ['epoch_old', 'not_assigned', 'clock_skew', 'round_closed', 'round_not_begun', 'asked_again', 'answer_missing', 'answer_unexpected', 'answer_value', 'form_unknown', 'person_known', 'person_moved', 'household_undone', 'household_closed', 'resident_gone'] as const
const FIELDS = ['phone', 'tags', 'note', 'name', 'sex', 'birth_on', 'relation'] as const

function shown(record: Omit<Flagged, 'what' | 'why'> & { flag_code: string | null }, what: string): Flagged {
  const known = FLAGS.find((flag) => flag === record.flag_code)
  return { ...record, what, why: known ? t(`flag.${known}`) : t('flag.other', { code: record.flag_code ?? '' }) }
}

/** An edit with whom and which facts it names: what they are now stands in the registry. */
function shownEdit(edit: Edit): Flagged {
  const facts = FIELDS.filter((one) => edit.fields.includes(one)).map((one) => t(`edit.field.${one}`))
  const who = edit.resident_name ? [edit.resident_name] : []
  return shown({ ...edit, note: [...who, ...facts].join(t('edit.and')) || null }, t(`edit.${edit.command}`))
}

/** A page of a community's records of a kind: those that wait, or those that were judged. */
export async function listFlagged(kind: Kind, community: string, judged: boolean, cursor: string | null): Promise<{ items: Flagged[]; next_cursor: string | null }> {
  const query = { community_code: community, limit: 50, cursor, ...(judged ? { is_judged: true } : { is_flagged: true }) }
  if (kind === 'door') {
    const { items, next_cursor } = await call(api.GET('/api/v1/door-visits', { params: { query } }))
    return { items: items.map((visit) => shown(visit, t(`outcome.${visit.outcome}`))), next_cursor }
  }
  if (kind === 'edit') {
    const { items, next_cursor } = await call(api.GET('/api/v1/flagged-edits', { params: { query } }))
    return { items: items.map(shownEdit), next_cursor }
  }
  const { items, next_cursor } = await call(api.GET('/api/v1/care-visits', { params: { query } }))
  return { items: items.map((visit) => shown(visit, app(`care.${visit.condition}`))), next_cursor }
}

/** Say of a record that it counts or does not. */
export async function judge(kind: Kind, id: string, verdict: Verdict, reason = ''): Promise<void> {
  const body = { verdict, reason }
  if (kind === 'door') await call(api.POST('/api/v1/door-visits/{visit_id}/judge', { params: { path: { visit_id: id } }, body }))
  else if (kind === 'edit') await call(api.POST('/api/v1/flagged-edits/{flagged_edit_id}/judge', { params: { path: { flagged_edit_id: id } }, body }))
  else await call(api.POST('/api/v1/care-visits/{care_visit_id}/judge', { params: { path: { care_visit_id: id } }, body }))
}

/** Take back what was said: it waits again. */
export async function reopen(kind: Kind, id: string): Promise<void> {
  if (kind === 'door') await call(api.POST('/api/v1/door-visits/{visit_id}/reopen', { params: { path: { visit_id: id } } }))
  else if (kind === 'edit') await call(api.POST('/api/v1/flagged-edits/{flagged_edit_id}/reopen', { params: { path: { flagged_edit_id: id } } }))
  else await call(api.POST('/api/v1/care-visits/{care_visit_id}/reopen', { params: { path: { care_visit_id: id } } }))
}
