/** A walk sheet as it goes onto paper: rows cut into A4 pages, the code it is found by, which tags may stand on it. */

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
  rows: PaperRow[]
}

/** lines of boxes that an A4 page holds; a row of up to three members is two lines high */
const PAGE_LINES = 28
const BOXES_A_LINE = 2

/** How high a row is, in lines of boxes. */
export function linesOf(row: PaperRow): number {
  return Math.max(2, Math.ceil(row.members.length / BOXES_A_LINE))
}

/** Rows by page; a row is never cut. */
export function pagesOf(rows: readonly PaperRow[]): PaperRow[][] {
  const pages: PaperRow[][] = []
  let left = 0
  for (const row of rows) {
    const lines = Math.min(linesOf(row), PAGE_LINES)
    if (lines > left) {
      pages.push([])
      left = PAGE_LINES
    }
    pages.at(-1)!.push(row)
    left -= lines
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
