/** The engine's state as the screens watch it, and the way to the engine for what is drawn before it is here. */
import { shallowRef } from 'vue'
import { INITIAL_STATUS, OfflineError, type Status } from '../offline/types'

export const status = shallowRef<Status>(INITIAL_STATUS)

type EngineModule = typeof import('./engine')
let loading: Promise<EngineModule> | undefined

/** The engine, fetched when first asked for. Raises OfflineError where its code could not be fetched. */
export function loadEngine(): Promise<EngineModule> {
  loading ??= import('./engine').then(
    (module) => {
      module.engine.subscribe(() => (status.value = module.engine.status))
      return module
    },
    () => {
      loading = undefined
      throw new OfflineError()
    },
  )
  return loading
}
