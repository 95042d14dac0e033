/** Who may hand out what, as `app/auth/service.py` decides: roles below one's own, each at its level. */
import { deskGrants } from '../../auth/session'
import type { Schema } from '../calls'
import { covers, levelOf, type Level } from '../codes'

export type Account = Schema<'AccountRead'>
export type Role = Schema<'Role'>

const RANK: Partial<Record<string, number>> = { city: 4, district: 3, street: 2, committee: 1 }
const ROLES_AT: Record<Level, readonly Role[]> = {
  city: ['viewer'],
  district: ['district', 'viewer'],
  town: ['street', 'viewer'],
  community: ['grid_worker', 'party_member', 'committee', 'viewer'],
}

/** One's highest rank over a division; 0 without a desk there. */
function rankOver(code: string): number {
  return Math.max(0, ...deskGrants.value.filter((grant) => covers(grant.division_code, code)).map((grant) => RANK[grant.role] ?? 0))
}

/** Whether one may make API clients for a division: a desk of a district or a city over it. */
export const mayMakeClients = (code: string): boolean => rankOver(code) >= 3

/** Roles one may hand out in a division. */
export function rolesFor(code: string): Role[] {
  const own = rankOver(code)
  return own ? ROLES_AT[levelOf(code)].filter((role) => (RANK[role] ?? 0) < own) : []
}

/** Whether one may reset, invite or close an account: all it holds lies below one's own. */
export function mayManage(account: Account): boolean {
  return account.grants.length > 0 && account.grants.every((grant) => rankOver(grant.division_code) > (RANK[grant.role] ?? 0))
}
