import { describe, expect, it } from 'vitest'
import { codeOf, linesOf, maskName, pagesOf, type PaperRow } from './paper'

const row = (number: number, members = 2): PaperRow => ({ number, place: '', head: '', tags: [], attempts: 0, members: Array.from({ length: members }, () => '') })

describe('a walk sheet on paper', () => {
  it('has the code that the server makes of the same id', () => {
    // tests/walk_sheets/test_walk_sheets.py holds the same pair
    expect(codeOf('01a20cca-13d8-705d-ace3-0b209f821a0b')).toBe('ECPYEGQL')
  })

  it('is cut into pages between rows, large households taking more room', () => {
    const rows = Array.from({ length: 30 }, (_, at) => row(at + 1))
    expect(pagesOf(rows).map((page) => page.length)).toEqual([14, 14, 2])
    expect(linesOf(row(1, 9))).toBe(5)
    expect(pagesOf([row(1, 200)]).length).toBe(1)
    expect(pagesOf([row(1), ...Array.from({ length: 12 }, () => row(2)), row(3, 9)]).map((page) => page.length)).toEqual([13, 1])
    expect(pagesOf([])).toEqual([])
  })

  it('tells a surname and no more', () => {
    expect(maskName('王建国')).toBe('王**')
    expect(maskName('王')).toBe('王*')
    expect(maskName('')).toBe('')
  })
})
