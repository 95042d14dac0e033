/**
 * Press and slide over tiles to select them: a press of a third of a second starts selecting, the finger then
 * takes in every tile it passes; a short tap opens (or toggles while selecting). Tiles carry `data-key`.
 */
import { ref } from 'vue'

const PRESS_MS = 320
/** px a finger may tremble before a press counts as scrolling */
const TREMBLE = 10

export function useSlideSelection(open: (key: string) => void, canSelect: (key: string) => boolean) {
  const isSelecting = ref(false)
  const selected = ref<Set<string>>(new Set())
  let timer: ReturnType<typeof setTimeout> | undefined
  let isSliding = false
  let from = { x: 0, y: 0 }

  function add(key: string | undefined): void {
    if (!key || selected.value.has(key) || !canSelect(key)) return
    selected.value = new Set(selected.value).add(key)
  }

  // once a finger slides over tiles, the page must not scroll under it
  function holdPage(event: TouchEvent): void {
    if (isSliding) event.preventDefault()
  }

  function beginSlide(key: string): void {
    isSliding = true
    isSelecting.value = true
    navigator.vibrate?.(15)
    add(key)
  }

  function start(event: PointerEvent, key: string): void {
    from = { x: event.clientX, y: event.clientY }
    clearTimeout(timer)
    timer = setTimeout(() => beginSlide(key), PRESS_MS)
    const tile = event.currentTarget
    // a touch is captured by the tile it began on; without it the finger's way is seen by the whole stair
    if (tile instanceof Element && tile.hasPointerCapture(event.pointerId)) tile.releasePointerCapture(event.pointerId)
    addEventListener('touchmove', holdPage, { passive: false })
  }

  function move(event: PointerEvent): void {
    if (!isSliding) {
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > TREMBLE) clearTimeout(timer)
      return
    }
    const tile = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-key]')
    add(tile?.dataset.key)
  }

  function end(): void {
    clearTimeout(timer)
    removeEventListener('touchmove', holdPage)
    // the click that ends a slide must not toggle the tile it ends on
    if (isSliding) setTimeout(() => (isSliding = false))
  }

  function toggle(key: string): void {
    if (isSliding) return
    if (!isSelecting.value) return open(key)
    if (!selected.value.has(key)) return add(key)
    const rest = new Set(selected.value)
    rest.delete(key)
    selected.value = rest
  }

  function stop(): void {
    end()
    isSelecting.value = false
    selected.value = new Set()
  }

  return { isSelecting, selected, start, move, end, toggle, stop }
}
