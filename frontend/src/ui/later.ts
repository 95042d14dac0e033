/** Parts that are fetched when they are first drawn. Vue's own helper has waits and retries that no phone needs at its start. */
import { h, shallowRef, triggerRef, type Component, type FunctionalComponent } from 'vue'

/** Stands for a part with all its props and listeners; draws nothing until `load` has fetched it, and asks again where that failed, at the latest when the network is back. */
export function later(load: () => Promise<Component>): FunctionalComponent<Record<string, unknown>> {
  const part = shallowRef<Component>()
  let isAsked = false
  const stand: FunctionalComponent<Record<string, unknown>> = (props) => {
    if (part.value) return h(part.value, props)
    if (!isAsked) {
      isAsked = true
      load().then((loaded) => (part.value = loaded)).catch((error: unknown) => {
        isAsked = false
        // drawn again by what is on screen now, where the network is back
        addEventListener('online', () => triggerRef(part), { once: true })
        throw error
      })
    }
    return null
  }
  stand.inheritAttrs = false
  return stand
}
