/**
 * Requests: who is signed in, the access token and its renewal, and every failure as `OfflineError` or
 * `ProblemError`. Whether the server could be reached is told by the last request, nothing else.
 */
import { createCalls, type Calls } from '../api/client'
import type { components } from '../api/types'
import { deviceDatabase, type SignedIn, type Tokens } from './database'
import { newId } from './ids'
import { OfflineError, ProblemError, StorageError, type Session } from './types'

type TokenRead = components['schemas']['TokenRead']

export interface TransportOptions {
  baseUrl: string
  fetch: typeof fetch
  locks: LockManager | null
  now: () => number
  databasePrefix: string
  deviceName: string
  language: () => string
  timeoutMs: number
}

/** Renew this long before the access token ends. */
const RENEW_BEFORE_MS = 60_000

/** A roster of 20 MB on a thin line takes its time, and so does a long list on its way out. */
const UPLOAD_TIMEOUT_MS = 600_000

export class Transport {
  /** every call of the API, typed; throws `OfflineError` and `ProblemError` */
  readonly api: Calls
  online = true
  lastContactAt: number | null = null
  signInNeeded = false
  onChange: () => void = () => undefined

  private readonly device
  private signedIn: SignedIn | null = null
  private renewal: Promise<void> | null = null
  private readonly inFlight = new Set<AbortController>()

  constructor(private readonly options: TransportOptions) {
    this.device = deviceDatabase(options.databasePrefix)
    this.api = createCalls((url, init) => this.authorized(url, init))
  }

  get session(): Session | null {
    return this.signedIn?.session ?? null
  }

  /** Read who was signed in when the app was last open. */
  async resume(): Promise<Session | null> {
    this.signedIn = ((await this.device.run((db) => db.get('device', 'signedIn'))) as SignedIn | undefined) ?? null
    return this.session
  }

  async deviceId(): Promise<string> {
    return this.device.write(['device'], async (tx) => {
      const kept = (await tx.objectStore('device').get('deviceId')) as string | undefined
      if (kept) return kept
      const made = newId(this.options.now())
      await tx.objectStore('device').put(made, 'deviceId')
      return made
    })
  }

  /** A request that is no call of the typed API: a photo's bytes. Raises `OfflineError` and `ProblemError`. */
  request(url: string, init: RequestInit): Promise<Response> {
    return this.authorized(url, init)
  }

  /** End every request under way: who is signed in is about to change. */
  interrupt(): void {
    for (const controller of this.inFlight) controller.abort()
  }

  async signIn(username: string, password: string): Promise<Session> {
    const tokens = await this.token({ grant_type: 'password', username, password, ...(await this.deviceFields()) })
    return this.take(tokens)
  }

  async acceptInvitation(code: string, password: string): Promise<Session> {
    const body = JSON.stringify({ code, password, ...(await this.deviceFields()) })
    const response = await this.send('/api/v1/auth/invitations/accept', {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json' },
    })
    return this.take((await response.json()) as TokenRead)
  }

  /** Ask the server anew who we are. */
  async refreshSession(): Promise<Session> {
    const { data } = await this.api.GET('/api/v1/me')
    const me = data!
    const session: Session = {
      accountId: me.id,
      name: me.name,
      login: me.login,
      mustChangePassword: me.must_change_password,
      grants: me.grants,
    }
    if (this.signedIn) await this.keep({ ...this.signedIn, session })
    return session
  }

  /**
   * End the session on this phone and at the server. Out of reach, it ends on this phone only and lapses at the
   * server by its time; `everywhere` needs the server.
   */
  async signOut(everywhere: boolean): Promise<void> {
    try {
      await this.api.POST('/api/v1/auth/sign-out', { body: { everywhere } })
    } catch (error) {
      if (!(error instanceof OfflineError || error instanceof ProblemError)) throw error
      if (everywhere && error instanceof OfflineError) throw error
    }
    await this.device.run((db) => db.delete('device', 'signedIn'))
    this.signedIn = null
    this.signInNeeded = false
    this.onChange()
  }

  /** Be another device from now on: this one has been revoked. */
  async forgetDevice(): Promise<void> {
    await this.device.run((db) => db.delete('device', 'deviceId'))
  }

  async close(): Promise<void> {
    await this.device.forget()
  }

  private async deviceFields(): Promise<{ device_id: string; device_name: string }> {
    return { device_id: await this.deviceId(), device_name: this.options.deviceName }
  }

  private async take(tokens: TokenRead): Promise<Session> {
    const before = this.signedIn
    const provisional: Session = { accountId: '', name: '', login: '', mustChangePassword: false, grants: [] }
    this.signedIn = { session: provisional, tokens: this.kept(tokens) }
    try {
      return await this.refreshSession()
    } catch (error) {
      this.signedIn = before
      throw error
    }
  }

  private kept(tokens: TokenRead): Tokens {
    const lifeMs = tokens.expires_in * 1000
    return {
      access: tokens.access_token,
      renewAt: this.options.now() + lifeMs - Math.min(RENEW_BEFORE_MS, lifeMs / 4),
      refresh: tokens.refresh_token ?? '',
      isForOutbox: tokens.scope === 'outbox',
    }
  }

  private async keep(signedIn: SignedIn): Promise<void> {
    this.signedIn = signedIn
    this.signInNeeded = false
    await this.device.run((db) => db.put('device', signedIn, 'signedIn'))
    this.onChange()
  }

  private async token(fields: Record<string, string>): Promise<TokenRead> {
    const response = await this.send('/api/v1/auth/token', { method: 'POST', body: new URLSearchParams(fields) })
    return (await response.json()) as TokenRead
  }

  /** Renew the access token; one tab at a time, and one that finds it renewed by another uses that. */
  private async renew(stale: string): Promise<void> {
    const work = async (): Promise<void> => {
      const kept = (await this.device.run((db) => db.get('device', 'signedIn'))) as SignedIn | undefined
      // signed out in another tab, or somebody else signed in: their token is not ours to use
      if (kept && kept.session.accountId !== this.session?.accountId) throw new ProblemError(401, 'not_signed_in', '')
      if (kept && kept.tokens.access !== stale) {
        this.signedIn = kept
        return
      }
      const refresh = this.signedIn?.tokens.refresh
      if (!refresh) throw new ProblemError(401, 'not_signed_in', '')
      const tokens = await this.token({ grant_type: 'refresh_token', refresh_token: refresh }).catch((error: unknown) => {
        // the server calls the token wrong; to the person it is the sign-in that has ended, not a password
        throw error instanceof ProblemError && error.status === 401 ? new ProblemError(401, 'token_expired', error.title) : error
      })
      if (this.signedIn) await this.keep({ ...this.signedIn, tokens: this.kept(tokens) }).catch(goOnIfFull)
    }
    const { locks, databasePrefix } = this.options
    const locked = async (): Promise<void> => {
      if (locks) await locks.request(`${databasePrefix}-renew`, work)
      else await work()
    }
    this.renewal ??= locked().finally(() => {
      this.renewal = null
    })
    await this.renewal
  }

  private async authorized(url: string, init: RequestInit): Promise<Response> {
    const attempt = (): Promise<Response> => {
      const headers = new Headers(init.headers)
      headers.set('Authorization', `Bearer ${this.signedIn?.tokens.access ?? ''}`)
      return this.send(url, { ...init, headers })
    }
    const tokens = this.signedIn?.tokens
    try {
      if (tokens && tokens.renewAt < this.options.now()) await this.renew(tokens.access)
      return await attempt()
    } catch (error) {
      if (!(error instanceof ProblemError && error.status === 401)) throw error
      if (!tokens) throw error
      if (error.code === 'device_revoked' && this.signedIn?.tokens.isForOutbox) throw error
      return this.afterRenewal(attempt, this.signedIn?.tokens.access ?? tokens.access)
    }
  }

  private async afterRenewal(attempt: () => Promise<Response>, stale: string): Promise<Response> {
    try {
      await this.renew(stale)
      return await attempt()
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401 && error.code !== 'device_revoked') {
        this.signInNeeded = true
        this.onChange()
      }
      throw error
    }
  }

  private async send(url: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('Accept-Language', this.options.language())
    const response = await this.fetchWhole(this.options.baseUrl + url, { ...init, headers })
    const isGateway = response.status === 502 || response.status === 504
    if (isGateway || isForeign(response)) {
      this.reached(false)
      throw new OfflineError()
    }
    this.reached(true)
    if (!response.ok) throw await problemOf(response)
    return response
  }

  /** The whole answer within the time; one that breaks off half-way counts as lost. */
  private async fetchWhole(url: string, init: RequestInit): Promise<Response> {
    const controller = new AbortController()
    this.inFlight.add(controller)
    let isLate = false
    const limit = init.body instanceof FormData || init.body instanceof ArrayBuffer || url.includes('.xlsx') ? UPLOAD_TIMEOUT_MS : this.options.timeoutMs
    const timer = setTimeout(() => {
      isLate = true
      controller.abort()
    }, limit)
    try {
      const response = await this.options.fetch(url, { ...init, signal: controller.signal })
      const body = [204, 205, 304].includes(response.status) ? null : await response.arrayBuffer()
      return new Response(body, { status: response.status, headers: plainHeaders(response) })
    } catch {
      // one we ended ourselves says nothing about the network
      if (isLate || !controller.signal.aborted) this.reached(false)
      throw new OfflineError()
    } finally {
      clearTimeout(timer)
      this.inFlight.delete(controller)
    }
  }

  private reached(online: boolean): void {
    this.online = online
    if (online) this.lastContactAt = this.options.now()
    this.onChange()
  }
}

/** A full phone goes on with a token it could not keep: sending is what makes room. Opened anew, it has to sign in. */
function goOnIfFull(error: unknown): void {
  if (!(error instanceof StorageError && error.reason === 'full')) throw error
}

function plainHeaders(response: Response): Headers {
  const headers = new Headers(response.headers)
  for (const name of ['content-encoding', 'content-length']) headers.delete(name)
  return headers
}

/** A page where only data can be: the answer of a hotspot's sign-in page or of a misled proxy, not of our server. */
function isForeign(response: Response): boolean {
  const isPage = response.headers.get('Content-Type')?.includes('text/html') ?? false
  return isPage && response.status < 500 && response.status !== 413 && response.status !== 429
}

async function problemOf(response: Response): Promise<ProblemError> {
  const retryAfter = Number(response.headers.get('Retry-After')) || null
  try {
    const problem = (await response.json()) as components['schemas']['ProblemDetail']
    return new ProblemError(response.status, problem.code, problem.title, problem.errors, retryAfter)
  } catch {
    return new ProblemError(response.status, 'refused', '', [], retryAfter)
  }
}
