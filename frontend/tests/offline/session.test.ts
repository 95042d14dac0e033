/** Who is signed in: kept offline, renewed by itself, changed without mixing two people's records. */
import { openDB } from 'idb'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { UnsentError } from '../../src/offline/engine'
import { OfflineError, ProblemError } from '../../src/offline/types'
import { makePhone, outcomeOf, readyPhone, record, reopen } from './phone'
import { Town } from './town'

let town: Town
beforeEach(() => {
  town = new Town()
  town.addArea('1号楼', ['101'])
  town.addArea('2号楼', ['201'], 'li')
})

/** whose records the server was given; a request without a good token is nobody's and taken from nobody */
const senders = (): (string | null)[] => town.log.filter((one) => one.path === '/sync/commands' && one.login).map((one) => one.login)

/** all values in a database, whatever its stores */
async function everythingIn(name: string): Promise<unknown[]> {
  const db = await openDB(name)
  const found = await Promise.all([...db.objectStoreNames].map((store) => db.getAll(store)))
  db.close()
  return found.flat()
}

describe('signing in', () => {
  it('says what is wrong: the password, or no server', async () => {
    const phone = makePhone(town)
    expect(await phone.engine.open()).toBeNull()
    await expect(phone.engine.signIn('wang', 'wrong')).rejects.toMatchObject({ status: 401, code: 'credentials_invalid' })
    town.isDown = true
    await expect(phone.engine.signIn('wang', 'right')).rejects.toThrow(OfflineError)
    expect(phone.engine.session).toBeNull()
  })

  it('leaves nobody half signed in when the network goes between the two calls', async () => {
    const phone = makePhone(town)
    await phone.engine.open()
    town.faults = [{ path: '/api/v1/me', kind: 'no_way' }]
    await expect(phone.engine.signIn('wang', 'right')).rejects.toThrow(OfflineError)
    expect(phone.engine.session).toBeNull()
  })

  it('is needed once; after that the app opens without a network', async () => {
    const phone = await readyPhone(town)
    town.isDown = true
    const again = await reopen(town, phone)
    expect(again.engine.session).toMatchObject({ login: 'wang', name: '王芳' })
    expect(await again.engine.listDoors()).toHaveLength(1)
  })
})

describe('renewal', () => {
  it('happens by itself when the server finds the token too old, and nothing is lost', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.expireAccess()
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, signInNeeded: false })
  })

  it('happens ahead of time by the phone’s clock', async () => {
    const phone = await readyPhone(town)
    phone.clock.now += 3_600_000
    town.log.length = 0
    await phone.engine.sync()
    expect(town.log[0]?.path).toBe('/auth/token')
    expect(town.log.filter((one) => one.path === '/auth/token')).toHaveLength(1)
  })

  it('asks for signing in when the session was ended, keeping the outbox, and goes on after it', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.endSessions()
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 1, needsYou: 0, signInNeeded: true, online: true })
    await phone.engine.signIn('wang', 'right')
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, signInNeeded: false })
    expect(town.home('101').visits).toHaveLength(1)
  })
})

describe('a device that has been revoked', () => {
  it('sends what it holds, then deletes everything and is a new device to whoever signs in', async () => {
    const phone = await readyPhone(town)
    const before = await phone.engine.transport.deviceId()
    await record(phone, '101')
    town.revoked.add('wang')
    await phone.engine.sync()
    expect(town.home('101').visits).toHaveLength(1)
    expect(town.log.at(-1)).toMatchObject({ path: '/auth/sign-out', login: 'wang' })
    expect(phone.engine.session).toBeNull()
    expect(phone.engine.status).toMatchObject({ refusal: 'device_revoked', waiting: 0, signInNeeded: false })
    const databases = (await indexedDB.databases()).map((one) => one.name!).filter((name) => name.startsWith(`${phone.options.databasePrefix}-`))
    for (const name of databases) expect(await everythingIn(name)).toEqual([])
    expect(await phone.engine.transport.deviceId()).not.toBe(before)
    town.revoked.delete('wang')
    await phone.engine.signIn('wang', 'right')
    await phone.engine.sync()
    expect(await phone.engine.listDoors()).toHaveLength(1)
    expect(phone.engine.status.refusal).toBeNull()
  })

  it('keeps everything until the server has answered for all of it', async () => {
    const phone = await readyPhone(town, { undoMs: 5000 })
    await record(phone, '101')
    town.revoked.add('wang')
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 1 })
    expect(await phone.engine.listDoors()).toHaveLength(1)
    phone.clock.now += 6000
    town.faults = [{ path: '/api/v1/sync/commands', kind: 'no_answer' }]
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 1 })
    phone.clock.now += 60_000
    await phone.engine.sync()
    expect(town.home('101').visits).toHaveLength(1)
    expect(phone.engine.session).toBeNull()
  })

  it('whose session has lapsed too sends after signing in, and is wiped then', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.revoked.add('wang')
    town.endSessions()
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 1, signInNeeded: true })
    await phone.engine.signIn('wang', 'right')
    await phone.engine.sync()
    expect(town.home('101').visits).toHaveLength(1)
    expect(phone.engine.session).toBeNull()
  })
})

describe('a one-time password', () => {
  it('keeps what is unsent until it is one’s own, and asks the server for nothing meanwhile', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    town.oneTime.add('wang')
    await phone.engine.sync()
    await vi.waitFor(() => expect(phone.engine.session?.mustChangePassword).toBe(true))
    expect(phone.engine.status).toMatchObject({ waiting: 1, needsYou: 0, signInNeeded: false })
    town.log.length = 0
    await phone.engine.sync()
    expect(town.log).toEqual([])
    await phone.engine.changePassword('right', 'mine')
    expect(phone.engine.session?.mustChangePassword).toBe(false)
    phone.clock.now += 60_000
    await phone.engine.sync()
    expect(phone.engine.status).toMatchObject({ waiting: 0, refusal: null })
    expect(town.home('101').visits).toHaveLength(1)
  })
})

describe('signing out', () => {
  it('asks while something is unsent', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    await expect(phone.engine.signOut()).rejects.toThrow(UnsentError)
    expect(phone.engine.session?.login).toBe('wang')
  })

  it('takes the doors off the phone and leaves the unsent for the account’s return', async () => {
    const phone = await readyPhone(town)
    await record(phone, '101')
    await phone.engine.signOut({ force: true })
    expect(phone.engine.session).toBeNull()
    expect(await phone.engine.listDoors()).toEqual([])

    await phone.engine.signIn('li', 'right')
    await phone.engine.sync()
    expect((await phone.engine.listDoors()).map((door) => door.room)).toEqual(['201'])
    expect(phone.engine.status.waiting).toBe(0)
    expect(senders()).toEqual([])

    await phone.engine.signOut()
    await phone.engine.signIn('wang', 'right')
    expect(phone.engine.status.waiting).toBe(1)
    await phone.engine.sync()
    expect(senders()).toEqual(['wang'])
    expect(await outcomeOf(phone, '101')).toBe('answered_all')
  })

  it('works without a network, but not everywhere', async () => {
    const phone = await readyPhone(town)
    town.isDown = true
    await expect(phone.engine.signOut({ everywhere: true })).rejects.toThrow(OfflineError)
    await phone.engine.signOut()
    expect((await reopen(town, phone)).engine.session).toBeNull()
  })

  it('in the midst of a sync ends it: nothing of the old account is written or sent afterwards', async () => {
    const phone = await readyPhone(town)
    town.visitByOther(town.home('101'), 'refused', phone.clock.now)
    town.faults = [{ path: `/api/v1/sync/areas/${town.areas[0]!.id}`, kind: 'no_answer', until: new Promise(() => undefined) }]
    const running = phone.engine.sync()
    await vi.waitFor(() => expect(town.faults).toEqual([]))
    await phone.engine.signOut()
    await running
    expect(await phone.engine.listDoors()).toEqual([])
    expect(phone.engine.status.syncing).toBe(false)
  })
})

describe('another tab', () => {
  const channels: { onmessage: ((event: MessageEvent) => void) | null; postMessage: (data: unknown) => void; close: () => void }[] = []
  const channel = (): (typeof channels)[number] => {
    const mine: (typeof channels)[number] = {
      onmessage: null,
      postMessage: (data) => channels.filter((other) => other !== mine).forEach((other) => other.onmessage?.({ data } as MessageEvent)),
      close: () => undefined,
    }
    channels.push(mine)
    return mine
  }

  it('hears of records and of who is signed in; one person’s records never go under another’s name', async () => {
    const phone = await readyPhone(town, { channel: channel() })
    const tab = await reopen(town, phone, { channel: channel() })
    await record(phone, '101')
    await vi.waitFor(() => expect(tab.engine.status.waiting).toBe(1))
    await phone.engine.signOut({ force: true })
    await phone.engine.signIn('li', 'right')
    await vi.waitFor(() => expect(tab.engine.session?.login).toBe('li'))
    await tab.engine.sync()
    expect(senders()).toEqual([])
  })

  it('that has not heard does not use the other person’s token', async () => {
    const phone = await readyPhone(town)
    const tab = await reopen(town, phone)
    await record(tab, '101')
    await phone.engine.signOut({ force: true })
    await phone.engine.signIn('li', 'right')
    town.tokensOf('wang').forEach((token) => town.endToken(token))
    await tab.engine.sync()
    expect(senders()).toEqual([])
    expect(tab.engine.status).toMatchObject({ signInNeeded: true, waiting: 1 })
  })
})

it('a problem carries the server’s code, for the screens’ sentences', async () => {
  const phone = await readyPhone(town)
  const call = phone.engine.api.GET('/api/v1/sync/areas/{area_id}', { params: { path: { area_id: town.areas[1]!.id } } })
  await expect(call).rejects.toBeInstanceOf(ProblemError)
  await expect(call).rejects.toMatchObject({ status: 404, code: 'area_not_held' })
})
