/** Changes of place, as the desk asks for them. */
import { api, call, Incomplete, type Schema } from '../calls'
import type { Household } from './registry'
import type { Target } from './TargetPicker.vue'
import { t } from './texts'

export type What = 'move' | 'leave' | 'split' | 'merge' | 'send'

export interface Change {
  what: What
  who: string[]
  on: string
  place: string
  reason: string
  keeps: boolean
  target: Target
  into: string
  community: string
}

/** Make the change; answers the household to look at now, null for the one on screen. Throws `Incomplete` and what calls throw. */
export async function changePlaces(household: Household, change: Change): Promise<string | null> {
  const { what, who, on, place, target } = change
  const params = { path: { household_id: household.id } }
  if (!who.length) throw new Incomplete(t('change.need_who'))
  if (what === 'move') {
    if (!target) throw new Incomplete(t('change.need_target'))
    const body = { resident_ids: who, on, keeps_registration: change.keeps, ...target } as Schema<'MembersMove'>
    return (await call(api.POST('/api/v1/households/{household_id}/move', { params, body }))).id
  }
  if (what === 'split') {
    const body = { resident_ids: who, on, head_id: who[0], ...(target && 'door' in target ? { door: target.door } : {}) } as Schema<'HouseholdSplit'>
    return (await call(api.POST('/api/v1/households/{household_id}/split', { params, body }))).id
  }
  if (what === 'merge') {
    if (!change.into) throw new Incomplete(t('change.need_target'))
    return (await call(api.POST('/api/v1/households/{household_id}/merge', { params, body: { into_household_id: change.into, on } }))).id
  }
  if (what === 'send') {
    if (!change.community) throw new Incomplete(t('change.need_community'))
    const body = { resident_ids: who, community_code: change.community, on, place, keeps_registration: change.keeps }
    await api.POST('/api/v1/households/{household_id}/send', { params, body })
    return null
  }
  const body = { resident_ids: who, reason: change.reason as Schema<'MembersLeave'>['reason'], on, place, keeps_registration: change.keeps }
  await api.POST('/api/v1/households/{household_id}/leave', { params, body })
  return null
}
