/**
 * Which rows of a long list are worth drawing.
 * @param scrolled how far the list's top is above the window's top, in px (negative when below)
 * @returns first row and the row after the last, with a few spare rows on both sides
 */
export function visibleRange(scrolled: number, windowHeight: number, rowHeight: number, spare = 6): { start: number; end: number } {
  const first = Math.floor(scrolled / rowHeight) - spare
  const last = Math.ceil((scrolled + windowHeight) / rowHeight) + spare
  return { start: Math.max(0, first), end: Math.max(spare, last, 1) }
}
