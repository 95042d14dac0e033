/** Who is signed in on this phone, and the ways in and out. */
import { computed, shallowRef } from 'vue'
import { engine } from '../app/engine'
import { askToPersist, OfflineError, ProblemError, type Grant, type Session } from '../offline'

export const session = shallowRef<Session | null>(null)
engine.subscribe(() => (session.value = engine.session?.accountId ? engine.session : null))

const DESK_ROLES: ReadonlySet<string> = new Set(['city', 'district', 'street', 'committee', 'viewer'])

/** Grants that open the desk. */
export const deskGrants = computed<Grant[]>(() => session.value?.grants.filter((grant) => DESK_ROLES.has(grant.role)) ?? [])

let oneTimePassword = ''

/** Read who was signed in when the app was last open; without a usable database nobody is. */
export async function openSession(): Promise<void> {
  try {
    session.value = await engine.open()
  } catch {
    // the strip at the top says that this browser keeps nothing
    session.value = null
  }
}

/** Sign in. Raises OfflineError or ProblemError. */
export async function signIn(login: string, password: string): Promise<Session> {
  const found = await engine.signIn(login, password)
  session.value = found
  oneTimePassword = found.mustChangePassword ? password : ''
  begin()
  return found
}

/** Set the first password with an invitation code and be signed in. */
export async function acceptInvitation(code: string, password: string): Promise<void> {
  session.value = await engine.acceptInvitation(code, password)
  begin()
}

/** Ask the browser to keep what will be stored, and fetch the doors at once. */
function begin(): void {
  engine.syncSoon(0)
  void askToPersist()
}

/** The one-time password just used, so that it need not be typed again; given out once. */
export function takeOneTimePassword(): string {
  const taken = oneTimePassword
  oneTimePassword = ''
  return taken
}

export async function changePassword(old: string, fresh: string): Promise<void> {
  await engine.changePassword(old, fresh)
  session.value = engine.session
}

/** Sign out; what is unsent stays on the phone for this account's return. */
export async function signOut(): Promise<void> {
  await engine.signOut({ force: true })
  session.value = null
}

/** Whether the server answers at all; asked before anybody types a password in vain. */
export async function isServerReachable(): Promise<boolean> {
  try {
    await engine.api.GET('/api/v1/me')
  } catch (error) {
    if (error instanceof OfflineError) return false
    if (!(error instanceof ProblemError)) throw error
  }
  return true
}
