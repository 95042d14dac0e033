/** Drafts of forms: kept in the phone's database at every change, offered when the form is opened again. */
import { ref, watch, type Ref } from 'vue'
import { engine } from './engine'

function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

/** Keep a draft of a form that is not open: what was saved has been taken back. */
export function keepDraft(key: string, draft: object): Promise<void> {
  return engine.saveDraft(key, plain(draft))
}

/**
 * The draft that `key()` names at the moment, following it from form to form; "" names none. `empty` is the form as it
 * is opened; what `isEmpty` (by default: what is the same as that) is not kept.
 */
export function useDraft<T extends object>(
  key: () => string,
  empty: () => T,
  isEmpty: (draft: T) => boolean = (draft) => JSON.stringify(draft) === JSON.stringify(empty()),
): {
  draft: Ref<T>
  isRestored: Ref<boolean>
  clearDraft: () => void
  restoreDraft: (key: string, draft: T) => Promise<void>
} {
  const draft = ref(empty()) as Ref<T>
  const isRestored = ref(false)
  /** the form whose draft is in `draft`; while another is being read, none */
  let owner = ''

  watch(
    key,
    async (name) => {
      owner = ''
      isRestored.value = false
      draft.value = empty()
      if (!name) return
      const kept = await engine.getDraft<T>(name)
      if (name !== key()) return
      // what somebody has typed while the draft was being read is what they mean
      if (!isEmpty(draft.value)) void keepDraft(name, draft.value)
      else if (kept && !isEmpty(kept)) {
        draft.value = kept
        isRestored.value = true
      }
      owner = name
    },
    { immediate: true },
  )

  watch(
    draft,
    (changed) => {
      if (!owner || owner !== key()) return
      if (isEmpty(changed)) void engine.clearDraft(owner)
      else void engine.saveDraft(owner, plain(changed))
    },
    { deep: true, flush: 'sync' },
  )

  return {
    draft,
    isRestored,
    clearDraft() {
      const name = owner
      draft.value = empty()
      isRestored.value = false
      // beside: nobody waits for it
      if (name) void engine.clearDraft(name)
    },
    async restoreDraft(name, kept) {
      if (!isEmpty(kept)) await keepDraft(name, kept)
      if (owner === name) draft.value = plain(kept)
    },
  }
}
