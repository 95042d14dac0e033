/**
 * Who is signed in on this phone, and the ways in and out. In the first load; the engine behind it is fetched
 * when the first screen stands, or at once where somebody was signed in.
 */
import { computed, shallowRef } from 'vue'
import { loadEngine } from '../app/status'
import { askToPersist } from '../offline/storage'
import { OfflineError, type Grant, type Session } from '../offline/types'

export const session = shallowRef<Session | null>(null)

/** Says before the database is open whether a start leads inside or to the sign-in page. */
const SIGNED_IN = 'pioneer.signed_in'

/** The account that was signed in here when the app was last open, as far as can be told at once; null: nobody. */
function lastSignedIn(): string | null {
  try {
    return localStorage.getItem(SIGNED_IN)
  } catch {
    return null
  }
}

export const wasSignedIn = (): boolean => lastSignedIn() !== null

function setSession(found: Session | null): void {
  const isAsBefore = found?.accountId === session.value?.accountId && (found?.accountId ?? null) === lastSignedIn()
  session.value = found
  if (isAsBefore) return
  try {
    if (found) localStorage.setItem(SIGNED_IN, found.accountId)
    else localStorage.removeItem(SIGNED_IN)
  } catch {
    // private windows may refuse; starts then go by way of the sign-in page
  }
}

const DESK_ROLES: ReadonlySet<string> = new Set(['city', 'district', 'street', 'committee', 'viewer'])

/** Grants that open the desk. */
export const deskGrants = computed<Grant[]>(() => session.value?.grants.filter((grant) => DESK_ROLES.has(grant.role)) ?? [])

let oneTimePassword = ''

let opening: Promise<void> | undefined

/** Open the phone's database, once, and read who was signed in; without a usable one nobody is. Never raises. */
export function openSession(): Promise<void> {
  opening ??= open()
  return opening
}

async function open(): Promise<void> {
  try {
    const { engine, startEngine } = await loadEngine()
    try {
      const expected = lastSignedIn()
      // versions before this one said no more than that it was somebody
      setSession(await engine.open(expected === '1' ? null : expected))
      engine.subscribe(() => setSession(engine.session?.accountId ? engine.session : null))
    } finally {
      startEngine()
    }
  } catch (error) {
    // the strip at the top says that this browser keeps nothing
    session.value = null
    if (error instanceof OfflineError) opening = undefined
  }
}

/** The engine with its database open. Raises OfflineError where it could not be fetched. */
async function openEngine() {
  await openSession()
  return (await loadEngine()).engine
}

/** Sign in. Raises OfflineError or ProblemError. */
export async function signIn(login: string, password: string): Promise<Session> {
  const engine = await openEngine()
  const found = await engine.signIn(login, password)
  setSession(found)
  oneTimePassword = found.mustChangePassword ? password : ''
  await begin()
  return found
}

/** Set the first password with an invitation code and be signed in. */
export async function acceptInvitation(code: string, password: string): Promise<void> {
  const engine = await openEngine()
  setSession(await engine.acceptInvitation(code, password))
  await begin()
}

/** Ask the browser to keep what will be stored, and fetch the doors at once. */
async function begin(): Promise<void> {
  ;(await loadEngine()).engine.syncSoon(0)
  void askToPersist()
}

/** The one-time password just used, so that it need not be typed again; given out once. */
export function takeOneTimePassword(): string {
  const taken = oneTimePassword
  oneTimePassword = ''
  return taken
}

export async function changePassword(old: string, fresh: string): Promise<void> {
  const engine = await openEngine()
  await engine.changePassword(old, fresh)
  setSession(engine.session)
}

/** Sign out here, or `everywhere`, which needs the server (OfflineError); what is unsent stays on the phone for this account's return. */
export async function signOut({ everywhere = false } = {}): Promise<void> {
  const engine = await openEngine()
  await engine.signOut({ force: true, everywhere })
  setSession(null)
}

/** Whether the server answers at all; asked before anybody types a password in vain. */
export async function isServerReachable(): Promise<boolean> {
  try {
    return (await fetch('/health/live', { cache: 'no-store' })).ok
  } catch {
    return false
  }
}
