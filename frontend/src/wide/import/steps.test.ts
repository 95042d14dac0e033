import { describe, expect, it } from 'vitest'
import type { Import } from './imports'
import { saysTheSame, isReachable, stepOf, STEPS } from './steps'

const job = (status: Import['status'], kind: Import['kind'] = 'roster') => ({ kind, status, counts: {} as Import['counts'] })

describe('steps of an import', () => {
  it('begin with the file and stay there until there is an import', () => {
    expect(stepOf(undefined, null)).toBe('file')
    expect(stepOf('done', null)).toBe('file')
    expect(STEPS.filter((step) => isReachable(step, null))).toEqual(['file'])
  })

  it('lead from a previewed file to its columns and preview, not past them', () => {
    const previewed = job('previewed')
    expect(stepOf(undefined, previewed)).toBe('columns')
    expect(stepOf('preview', previewed)).toBe('preview')
    expect(stepOf('done', previewed)).toBe('preview')
    expect(STEPS.filter((step) => isReachable(step, previewed))).toEqual(['file', 'columns', 'preview'])
  })

  it('have no columns for a division list', () => {
    expect(stepOf(undefined, job('previewed', 'divisions'))).toBe('preview')
    expect(stepOf('columns', job('previewed', 'divisions'))).toBe('preview')
    expect(isReachable('columns', job('done', 'divisions'))).toBe(false)
  })

  it('end at what was done, and let one look back', () => {
    expect(stepOf(undefined, job('done'))).toBe('done')
    expect(STEPS.filter((step) => isReachable(step, job('done')))).toEqual([...STEPS])
  })

  it('lead back to the file when it could not be read', () => {
    expect(stepOf('columns', job('failed'))).toBe('file')
  })

  it('are closed but for the file while it is worked on or when it failed', () => {
    for (const status of ['queued', 'running', 'failed'] as const) {
      expect(STEPS.filter((step) => isReachable(step, job(status)))).toEqual(['file'])
    }
  })
})

describe('saysTheSame', () => {
  it('is said of an import in which all is known', () => {
    expect(saysTheSame({ created: 0, updated: 0, kept: 0, asked: 0 })).toBe(true)
    expect(saysTheSame({ created: 0, updated: 2, kept: 0, asked: 0 })).toBe(false)
    expect(saysTheSame({ created: 0, updated: 0, kept: 1, asked: 0 })).toBe(false)
    expect(saysTheSame({ created: 0, updated: 0, kept: 0, asked: 2 })).toBe(false)
  })
})
