/** A walk sheet as it goes onto paper: rows cut into A4 pages, the code it is found by, which tags may stand on it. */
import type { PaperLine, PaperQuestion } from './asked'

/** One door; nothing on it that a lost sheet should not tell. */
export interface PaperRow {
  number: number
  /** stair and room */
  place: string
  /** the surname, the rest masked */
  head: string
  tags: string[]
  attempts: number
  /** relation of each member, or "": a box for each temperature */
  members: string[]
  /** the room to answer the round's own questions */
  answers?: PaperLine[]
}

export interface PaperSheet {
  code: string
  areaName: string
  roundTitle: string
  walkerName: string
  communityName: string
  /** ms since 1970 */
  printedAt: number
  feverFrom: number
  /** our own server's SVG of a QR; a phone prints without */
  qrSvg: string
  /** the round's own questions in full, page by page; they stand before the doors */
  questions: PaperQuestion[][]
  /** whether temperatures are asked */
  hasTemperatures: boolean
  rows: PaperRow[]
}

/** mm of an A4 page below its head, of a line of boxes for temperatures, of a line of answers */
const PAGE_MM = 231
const BOX_MM = 8.25
const ANSWER_MM = 6.5
const BOXES_A_LINE = 2

/** How high a row is without its answers, in lines of boxes; one of up to three members is two lines high. */
export function linesOf(row: PaperRow): number {
  return Math.max(2, Math.ceil(row.members.length / BOXES_A_LINE))
}

/** What of a row stands on one page: all of it, or, where that is more than a page, the lines that fit. */
export interface PaperPiece {
  row: PaperRow
  /** mm of its upper part; 0 where the row began on another page */
  height: number
  answers: PaperLine[]
}

export interface PaperPage {
  questions: PaperQuestion[]
  pieces: PaperPiece[]
}

/** The pages of a sheet: the questions in full, the doors from where they end if enough of that page is left. */
export function sheetPages({ questions, rows }: Pick<PaperSheet, 'questions' | 'rows'>): PaperPage[] {
  const pages: PaperPage[] = questions.map((asked) => ({ questions: asked, pieces: [] }))
  const room = PAGE_MM - (questions.at(-1) ?? []).reduce((sum, one) => sum + one.height, 0)
  const isShared = pages.length > 0 && room >= PAGE_MM / 2
  pagesOf(rows, isShared ? room : 0).forEach((pieces, at) => {
    if (at === 0 && isShared) pages.at(-1)!.pieces = pieces
    else pages.push({ questions: [], pieces })
  })
  return pages
}

/** Rows by page, of the first `room` mm; a row is cut only where it is higher than a page, between two lines of answers. */
export function pagesOf(rows: readonly PaperRow[], room = 0): PaperPiece[][] {
  const pages: PaperPiece[][] = room ? [[]] : []
  let left = room
  const turn = (): void => {
    pages.push([])
    left = PAGE_MM
  }
  for (const row of rows) {
    const height = Math.min(linesOf(row) * BOX_MM, PAGE_MM)
    const answers = row.answers ?? []
    if (height + answers.length * ANSWER_MM > left) turn()
    let piece: PaperPiece = { row, height, answers: [] }
    pages.at(-1)!.push(piece)
    left -= height
    for (const line of answers) {
      if (left < ANSWER_MM) {
        turn()
        piece = { row, height: 0, answers: [] }
        pages.at(-1)!.push(piece)
      }
      piece.answers.push(line)
      left -= ANSWER_MM
    }
  }
  return pages
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The eight letters and digits of a sheet's code: the last forty bits of its id, as the server makes it. */
export function codeOf(id: string): string {
  let bits = BigInt(`0x${id.replaceAll('-', '').slice(-10)}`)
  let code = ''
  for (let at = 0; at < 8; at++) {
    code = LETTERS[Number(bits & 31n)] + code
    bits >>= 5n
  }
  return code
}

/** 王建国 → 王** */
export function maskName(name: string): string {
  return name && name.slice(0, 1) + '*'.repeat(Math.max(name.length - 1, 1))
}

/** Tags that say how to knock; what speaks of health or of means stays off the paper, as at the server. */
export const TAGS_ON_PAPER: ReadonlySet<string> = new Set(['living_alone_elder', 'tenant', 'infant', 'collective_household'])
