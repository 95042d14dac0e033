/**
 * A small server in memory with the manners of docs/wire.md: one community, areas of doors, commands answered
 * once and the same for ever, pulls by version. Phones reach it through `fetchOf`, where a test puts faults.
 */
import type { components } from '../../src/api/types'
import type { AddHouseholdPayload } from '../../src/offline/types'

type AreaPull = components['schemas']['AreaPull']
type CommandIn = components['schemas']['CommandIn']
type CommandResult = components['schemas']['CommandResult']

export const COMMUNITY = '370102001001'
export const ROUND = '01900000-0000-7000-8000-00000000aaaa'

interface Home {
  id: string
  dwelling: string
  area: string
  room: string
  version: number
  residents: { id: string; name: string; relation: string }[]
  phone: string | null
  note: string | null
  /** which fact was last changed when and by whom */
  changes: Map<string, { version: number; login: string }>
  visits: { outcome: string; at: number; by: string; checked: { id: string; status: string }[] }[]
  care: { condition: string; at: number; next: string | null; resident: string | null } | null
  isClosed: boolean
}

interface Area {
  id: string
  name: string
  holder: string | null
  epoch: number
  recut: number
}

/** What befalls the next request whose path starts with `path`. */
export interface Fault {
  path: string
  /** `no_way`: it does not arrive; `no_answer`: it arrives and the answer is lost; else the answer itself */
  kind: 'no_way' | 'no_answer' | Response
  /** wait for this before answering */
  until?: Promise<void>
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } })

/** An answer as RFC 9457. */
export const problem = (status: number, code: string, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ type: 'about:blank', title: code, status, code, errors: [] }), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  })

let serial = 0
const id = (): string => `01900000-0000-7000-8000-${String(++serial).padStart(12, '0')}`

export class Town {
  version = 1
  readonly homes: Home[] = []
  readonly areas: Area[] = []
  readonly answers = new Map<string, CommandResult>()
  readonly accounts = new Map([['wang', { id: id(), name: '王芳' }], ['li', { id: id(), name: '李强' }]])
  /** every request that arrived: method, path, login, body */
  readonly log: { method: string; path: string; login: string | null; body: unknown }[] = []
  faults: Fault[] = []
  /** ids that make the server refuse the whole request, as a bug of the phone would */
  readonly poison = new Set<string>()
  /** ms; what the service's clock shows */
  now = Date.parse('2026-11-24T02:00:00Z')
  isDown = false
  accessSeconds = 900
  /** logins whose phones are revoked: they may send what they hold, and sign out */
  readonly revoked = new Set<string>()
  /** logins whose password somebody else has set */
  readonly oneTime = new Set<string>()
  private readonly outboxTokens = new Set<string>()
  private readonly tokens = new Map<string, string>()
  private readonly refreshTokens = new Map<string, string>()

  /** An area of `rooms` doors with two people each. */
  addArea(name: string, rooms: string[], holder: string | null = 'wang'): Area {
    const area: Area = { id: id(), name, holder, epoch: 1, recut: ++this.version }
    this.areas.push(area)
    for (const room of rooms) this.addHome(area, room)
    return area
  }

  addHome(area: Area, room: string): Home {
    const residents = ['张三', '李四'].map((name) => ({ id: id(), name: name + room, relation: '户主' }))
    const home: Home = {
      id: id(), dwelling: id(), area: area.id, room, version: ++this.version, residents, phone: null, note: null, changes: new Map(),
      visits: [], care: null, isClosed: false,
    }
    this.homes.push(home)
    return home
  }

  /** Somebody else's visit. */
  visitByOther(home: Home, outcome: string, at: number): void {
    home.visits.push({ outcome, at, by: '赵六', checked: outcome === 'answered_all' ? home.residents.map((r) => ({ id: r.id, status: 'well' })) : [] })
    home.version = ++this.version
  }

  /** Somebody else corrects a fact of the household. */
  changeByOther(home: Home, field: 'phone' | 'note', value: string): void {
    home[field] = value
    home.version = ++this.version
    home.changes.set(home.id + field, { version: home.version, login: 'li' })
  }

  /** End every session: access tokens now, refresh tokens too. */
  endSessions(): void {
    this.tokens.clear()
    this.refreshTokens.clear()
  }

  expireAccess(): void {
    this.tokens.clear()
  }

  tokensOf(login: string): string[] {
    return [...this.tokens].filter(([, owner]) => owner === login).map(([token]) => token)
  }

  endToken(token: string): void {
    this.tokens.delete(token)
  }

  home(room: string): Home {
    return this.homes.find((home) => home.room === room)!
  }

  /** The network of one phone. */
  fetchOf(): typeof fetch {
    return async (input, init = {}) => {
      const url = new URL(String(input), 'http://town')
      const at = this.faults.findIndex((fault) => url.pathname.startsWith(fault.path))
      const fault = at >= 0 ? this.faults.splice(at, 1)[0]! : null
      if (fault?.until) await Promise.race([fault.until, aborted(init.signal)])
      if (this.isDown || fault?.kind === 'no_way') throw new TypeError('Failed to fetch')
      if (fault?.kind instanceof Response) return fault.kind
      const answer = this.serve(url, init)
      if (fault?.kind === 'no_answer') throw new TypeError('Failed to fetch')
      return answer
    }
  }

  private serve(url: URL, init: RequestInit): Response {
    const token = new Headers(init.headers).get('Authorization')?.slice(7) ?? ''
    const login = this.tokens.get(token) ?? null
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as unknown) : init.body
    const path = url.pathname.replace('/api/v1', '')
    this.log.push({ method: init.method ?? 'GET', path, login, body })
    if (path === '/auth/token') return this.token(new URLSearchParams(String(body)))
    if (!login) return problem(401, 'token_expired')
    if (this.revoked.has(login) && !(this.outboxTokens.has(token) && ['/me', '/auth/sign-out', '/sync/commands'].includes(path))) {
      return problem(401, 'device_revoked')
    }
    const account = this.accounts.get(login)!
    const isOneTime = this.oneTime.has(login)
    if (path === '/auth/password') this.oneTime.delete(login)
    if (path === '/auth/password') return new Response(null, { status: 204 })
    if (isOneTime && path !== '/me') return problem(403, 'password_change_needed')
    if (path === '/me') return json({ ...account, login, kind: 'person', must_change_password: isOneTime, grants: [], areas: [] })
    if (path === '/auth/sign-out') return new Response(null, { status: 204 })
    if (path === '/sync/status') return json({ server_time: new Date(this.now).toISOString(), day: '', confirmed_today: this.confirmed(login) })
    if (path === '/sync/areas') return json(this.areas.filter((area) => area.holder === login).map((area) => this.brief(area)))
    if (path === '/sync/commands') return this.take(login, body as { commands: CommandIn[] })
    const area = this.areas.find((one) => path === `/sync/areas/${one.id}` && one.holder === login)
    return area ? json(this.pull(area, Number(url.searchParams.get('since') ?? 0))) : problem(404, 'area_not_held')
  }

  private token(form: URLSearchParams): Response {
    const grant = form.get('grant_type')
    const login = grant === 'password' ? form.get('username') : this.refreshTokens.get(form.get('refresh_token') ?? '')
    if (!login || !this.accounts.has(login) || (grant === 'password' && form.get('password') !== 'right')) {
      return problem(401, 'credentials_invalid')
    }
    const [access, refresh] = [id(), id()]
    this.tokens.set(access, login)
    this.refreshTokens.set(refresh, login)
    const scope = this.revoked.has(login) ? 'outbox' : null
    if (scope) this.outboxTokens.add(access)
    return json({ scope, access_token: access, refresh_token: refresh, expires_in: this.accessSeconds, token_type: 'bearer' })
  }

  private confirmed(login: string): number {
    const name = this.accounts.get(login)!.name
    return this.homes.flatMap((home) => home.visits).filter((visit) => visit.by === name).length
  }

  private areaVersion(area: Area): number {
    return Math.max(area.recut, ...this.homes.filter((home) => home.area === area.id).map((home) => home.version))
  }

  private brief(area: Area) {
    return {
      id: area.id, community_code: COMMUNITY, community_name: '文化路', name: area.name, epoch: area.epoch,
      version: this.areaVersion(area), household_count: this.homes.filter((home) => home.area === area.id).length,
      rounds: [{ id: ROUND, title: '第一轮', starts_on: '2026-01-01', ends_on: '2026-12-31' }],
    }
  }

  private pull(area: Area, since: number): AreaPull {
    const reset = since === 0 || since < area.recut
    const changed = this.homes.filter((home) => home.area === area.id && (reset || home.version > since))
    const homes = changed.filter((home) => !home.isClosed)
    const people = homes.flatMap((home, at) => home.residents.map((resident) => ({ ...resident, at, home })))
    const states = homes.flatMap((home, at) => (home.visits.length ? [{ at, ...this.stateOf(home) }] : []))
    const checks = people.flatMap((person, at) =>
      person.home.visits.flatMap((visit) => visit.checked.filter((check) => check.id === person.id).map((check) => ({ at, ...check }))).slice(-1),
    )
    const care = homes.flatMap((home, row) => (home.care ? [{ row, ...home.care }] : []))
    return {
      version: this.areaVersion(area), epoch: area.epoch, reset,
      removed: reset ? [] : changed.filter((home) => home.isClosed).map((home) => home.id),
      upserts: {
        dwellings: {
          i: homes.map((h) => h.dwelling), c: homes.map(() => '文苑'), b: homes.map(() => '1'), s: homes.map(() => '2'), f: homes.map(() => 1),
          r: homes.map((h) => h.room), a: homes.map(() => ''), v: homes.map(() => 0),
        },
        households: {
          i: homes.map((h) => h.id), d: homes.map((_, at) => at), h: homes.map((h) => h.residents[0]!.name), y: homes.map(() => 'ZS'),
          k: homes.map(() => 'family'), t: homes.map(() => []), p: homes.map((h) => h.phone), n: homes.map((h) => h.note),
        },
        residents: {
          i: people.map((p) => p.id), h: people.map((p) => p.at), n: people.map((p) => p.name), y: people.map(() => 'ZS'), s: people.map(() => 1),
          b: people.map(() => 1950), r: people.map((p) => p.relation), x: people.map(() => 0),
        },
        reports: { h: [], i: [], q: [], t: [], p: [] },
        states: { h: states.map((s) => s.at), q: states.map(() => ROUND), o: states.map((s) => s.outcome), c: states.map((s) => s.attempts), t: states.map((s) => s.t), w: states.map((s) => s.by), a: states.map(() => null), b: states.map(() => ''), p: states.map(() => 0), n: states.map(() => 0) },
        checks: { r: checks.map((c) => c.at), q: checks.map(() => ROUND), s: checks.map((c) => c.status), t: checks.map(() => null), k: checks.map(() => 0) },
        care: { h: care.map((c) => c.row), r: care.map((c) => c.resident), l: care.map((c) => c.condition), t: care.map((c) => Math.round(c.at / 1000)), n: care.map((c) => c.next) },
      },
    }
  }

  private stateOf(home: Home) {
    const settled = home.visits.filter((visit) => ['answered_all', 'answered_part', 'vacant', 'wrong_address'].includes(visit.outcome)).at(-1)
    const last = home.visits.at(-1)!
    const done = new Set(home.visits.flatMap((visit) => visit.checked.map((check) => check.id)))
    const isAnswer = settled?.outcome.startsWith('answered')
    const outcome = isAnswer ? (done.size === home.residents.length ? 'answered_all' : 'answered_part') : (settled ?? last).outcome
    return { outcome, attempts: home.visits.filter((visit) => visit.outcome === 'no_answer').length, t: Math.round(last.at / 1000), by: last.by }
  }

  private take(login: string, push: { commands: CommandIn[] }): Response {
    if (push.commands.some((command) => this.poison.has(command.id))) return problem(422, 'shape_invalid')
    const results = push.commands.map((command): CommandResult => {
      const known = this.answers.get(command.id)
      if (known) return known.status === 'rejected' ? known : { ...known, status: 'duplicate', first_status: known.status as 'accepted' }
      const answer = this.judge(login, command)
      this.answers.set(command.id, answer)
      return answer
    })
    return json({ results, server_time: new Date(this.now).toISOString(), confirmed_today: this.confirmed(login) })
  }

  /** Take over the changes that nobody else has made meanwhile; true when one of them clashes. */
  private merge(login: string, home: Home, payload: Record<string, unknown>): boolean {
    const row = home.residents.find((one) => one.id === payload.resident_id) ?? home
    let isClash = false
    for (const [field, value] of Object.entries(payload.changes as object)) {
      const last = home.changes.get(row.id + field)
      if (last && last.version > Number(payload.base_version) && last.login !== login) isClash = true
      else {
        Object.assign(row, { [field]: value })
        home.changes.set(row.id + field, { version: home.version, login })
      }
    }
    return isClash
  }

  private found(command: CommandIn): CommandResult {
    const { household_id, responsibility_area_id, dwelling_id, door, residents } = command.payload as unknown as AddHouseholdPayload
    const beside = this.homes.find((one) => one.dwelling === dwelling_id)
    if (!beside && !door) return { id: command.id, status: 'rejected', code: 'household_not_found', detail: null }
    const home = this.addHome(this.areas.find((one) => one.id === responsibility_area_id)!, beside?.room ?? door!.room)
    Object.assign(home, { id: household_id, dwelling: beside?.dwelling ?? home.dwelling, residents: residents.map(({ id, name }) => ({ id, name, relation: '' })) })
    return { id: command.id, status: 'accepted', code: null, detail: null }
  }

  private judge(login: string, command: CommandIn): CommandResult {
    const payload = command.payload as Record<string, unknown>
    if (command.name === 'people.add_household') return this.found(command)
    const home = this.homes.find((one) => one.id === payload.household_id)
    if (!home) return { id: command.id, status: 'rejected', code: 'household_not_found', detail: null }
    const area = this.areas.find((one) => one.id === home.area)!
    const by = this.accounts.get(login)!.name
    const at = Date.parse(command.recorded_at)
    home.version = ++this.version
    if (command.name === 'screening.record_door_visit') {
      const checked = (payload.persons as { resident_id: string; status: string }[]).map((p) => ({ id: p.resident_id, status: p.status }))
      home.visits.push({ outcome: String(payload.outcome), at, by, checked: checked.filter((check) => check.status !== 'unknown') })
    } else if (command.name === 'people.add_resident') {
      home.residents.push({ id: String(payload.resident_id ?? command.id), name: String(payload.name), relation: '' })
    } else if (command.name === 'people.mark_resident_gone') {
      home.residents = home.residents.filter((one) => one.id !== payload.resident_id)
      home.isClosed = home.residents.length === 0
    } else if (command.name.startsWith('people.update_')) {
      if (this.merge(login, home, payload)) return { id: command.id, status: 'flagged', code: 'edit_conflict', detail: null }
    } else {
      home.care = { condition: String(payload.condition), at, next: (payload.next_on as string) ?? null, resident: (payload.resident_id as string) ?? null }
    }
    const isFlagged = area.holder !== login || area.epoch !== command.epoch
    return { id: command.id, status: isFlagged ? 'flagged' : 'accepted', code: isFlagged ? 'epoch_old' : null, detail: null }
  }
}

function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError'))))
}
