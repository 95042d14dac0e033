import { describe, expect, it } from 'vitest'
import { codeOf, linesOf, maskName, pagesOf, sheetPages, type PaperRow } from './paper'

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

  it('keeps a door and the room for its answers together, and cuts only what is higher than a page', () => {
    const asking = (number: number, lines: number): PaperRow => ({ ...row(number), answers: Array.from({ length: lines }, () => ({ who: '', parts: ['1. □'] })) })
    const pages = pagesOf([asking(1, 20), asking(2, 20), asking(3, 60)])
    expect(pages.map((page) => page.map((piece) => [piece.row.number, piece.answers.length]))).toEqual([[[1, 20]], [[2, 20]], [[3, 33]], [[3, 27]]])
    expect(pages.map((page) => page[0]!.height > 0)).toEqual([true, true, true, false])
  })

  it('begins the doors below short questions, and on a page of their own below many', () => {
    const asked = (height: number) => [{ number: 1, text: '', details: [], height }]
    const shape = (questions: ReturnType<typeof asked>[]) => sheetPages({ questions, rows: [row(1), row(2)] }).map((page) => [page.questions.length, page.pieces.length])
    expect(shape([])).toEqual([[0, 2]])
    expect(shape([asked(60)])).toEqual([[1, 2]])
    expect(shape([asked(220), asked(150)])).toEqual([[1, 0], [1, 0], [0, 2]])
  })

  it('tells a surname and no more', () => {
    expect(maskName('王建国')).toBe('王**')
    expect(maskName('王')).toBe('王*')
    expect(maskName('')).toBe('')
  })
})
