/**
 * Calls of the API, typed by `types.ts`. It has the shape of openapi-fetch's client and a fifth of its weight:
 * middleware, path styles and streams are not needed, and failures are thrown by whoever sends.
 */
import type { Client } from 'openapi-fetch'
import type { paths } from './types'

export type Send = (url: string, init: RequestInit) => Promise<Response>
export type Calls = Pick<Client<paths>, 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'>

interface CallOptions {
  params?: { path?: Record<string, unknown>; query?: Record<string, unknown> }
  body?: unknown
  bodySerializer?: (body: never) => BodyInit
  parseAs?: 'json' | 'text' | 'blob' | 'arrayBuffer'
  headers?: Record<string, string>
}

/** The path with its `{names}` filled in and the query behind it; what is null or absent is left out. */
export function addressOf(path: string, params: CallOptions['params'] = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params.path?.[name])))
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params.query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) query.append(name, String(one))
    }
  }
  const asked = query.toString()
  return asked ? `${filled}?${asked}` : filled
}

/** A client that hands requests to `send`, which must throw unless the answer is good. */
export function createCalls(send: Send): Calls {
  const call = (method: string) => async (path: string, options: CallOptions = {}) => {
    const headers = new Headers(options.headers)
    let body: BodyInit | null = null
    if (options.body !== undefined) {
      body = options.bodySerializer ? options.bodySerializer(options.body as never) : JSON.stringify(options.body)
      if (typeof body === 'string') headers.set('Content-Type', 'application/json')
    }
    const response = await send(addressOf(path, options.params), { method, headers, body })
    const data: unknown = response.status === 204 ? undefined : await response[options.parseAs ?? 'json']()
    return { data, response }
  }
  const calls = { GET: call('GET'), POST: call('POST'), PUT: call('PUT'), PATCH: call('PATCH'), DELETE: call('DELETE') }
  return calls as unknown as Calls
}
