/**
 * Sweep over doors to select them: with a mouse at once, with a finger after a press, so that the page can still
 * be scrolled. The first door decides whether doors are taken in or left out. Doors carry `data-door`.
 */
import { onScopeDispose } from 'vue'

const PRESS_MS = 320
/** px a finger may tremble before a press counts as scrolling */
const TREMBLE = 10

export function useSweep(selection: { has: (id: string) => boolean; add: (id: string) => void; drop: (id: string) => void }) {
  let mode: 'add' | 'drop' | null = null
  let isHandled = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let from = { x: 0, y: 0 }

  function take(id: string | undefined): void {
    if (id && mode) selection[mode](id)
  }
  function begin(id: string): void {
    mode = selection.has(id) ? 'drop' : 'add'
    isHandled = true
    take(id)
  }
  function holdPage(event: TouchEvent): void {
    if (mode) event.preventDefault()
  }

  function start(event: PointerEvent, id: string): void {
    if (event.button !== 0) return
    isHandled = false
    from = { x: event.clientX, y: event.clientY }
    const tile = event.currentTarget
    if (tile instanceof Element && tile.hasPointerCapture(event.pointerId)) tile.releasePointerCapture(event.pointerId)
    addEventListener('pointermove', move)
    addEventListener('pointerup', end)
    addEventListener('pointercancel', end)
    if (event.pointerType !== 'touch') return begin(id)
    addEventListener('touchmove', holdPage, { passive: false })
    timer = setTimeout(() => begin(id), PRESS_MS)
  }
  function move(event: PointerEvent): void {
    if (!mode) {
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > TREMBLE) clearTimeout(timer)
      return
    }
    take(document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-door]')?.dataset.door)
  }
  function end(): void {
    clearTimeout(timer)
    mode = null
    // a sweep that ends on another door is followed by no click of its own: the next click is somebody's
    setTimeout(() => (isHandled = false))
    removeEventListener('pointermove', move)
    removeEventListener('pointerup', end)
    removeEventListener('pointercancel', end)
    removeEventListener('touchmove', holdPage)
  }
  onScopeDispose(end)

  /** A click on a door: the end of a sweep that has taken it already, or a tap or a key that toggles it. */
  function click(id: string): void {
    const wasHandled = isHandled
    isHandled = false
    if (wasHandled) return
    if (selection.has(id)) selection.drop(id)
    else selection.add(id)
  }
  return { start, click }
}
