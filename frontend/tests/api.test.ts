/** Addresses of calls. */
import { expect, it } from 'vitest'
import { addressOf, createCalls } from '../src/api/client'

it('fills in names, leaves out what is not asked for, escapes what people type', () => {
  const params = { path: { area_id: 'a/b' }, query: { q: '张 三&', limit: 50, cursor: undefined, building: null, tag: ['a', 'b'] } }
  expect(addressOf('/areas/{area_id}', params)).toBe('/areas/a%2Fb?q=%E5%BC%A0+%E4%B8%89%26&limit=50&tag=a&tag=b')
  expect(addressOf('/me')).toBe('/me')
})

it('sends JSON as JSON, forms as forms, and reads files as files', async () => {
  const sent: RequestInit[] = []
  const calls = createCalls((_, init) => {
    sent.push(init)
    return Promise.resolve(new Response('{"id":"1"}'))
  })
  await calls.POST('/api/v1/auth/sign-out', { body: { everywhere: false } })
  expect(sent[0]?.body).toBe('{"everywhere":false}')
  expect(new Headers(sent[0]?.headers).get('Content-Type')).toBe('application/json')

  const form = new FormData()
  await calls.POST('/api/v1/imports', { body: { file: '', kind: 'roster', dry_run: true }, bodySerializer: () => form })
  expect(sent[1]?.body).toBe(form)
  expect(new Headers(sent[1]?.headers).has('Content-Type')).toBe(false)

  const { data } = await calls.GET('/api/v1/imports/{import_id}/errors.xlsx', { params: { path: { import_id: '1' } }, parseAs: 'blob' })
  expect(data).toBeInstanceOf(Blob)
})
