/** The draft of a door: kept in the phone's database at every change, found again after leaving half-way. */
import { ref, watch, type Ref } from 'vue'
import { engine } from '../app/engine'
import { emptyDraft, isUntouched, type DoorDraft } from './form'

function keyOf(householdId: string): string {
  return `door:${householdId}`
}

function plain(draft: DoorDraft): DoorDraft {
  return JSON.parse(JSON.stringify(draft)) as DoorDraft
}

function isEmpty(draft: DoorDraft): boolean {
  const isSilent = isUntouched(draft) && !Object.keys(draft.answers).length && !draft.note.trim()
  return isSilent && !draft.own?.length && !draft.photos
}

/** The draft of the household that `householdId()` names at the moment, following it from door to door. */
export function useDraft(householdId: () => string): {
  draft: Ref<DoorDraft>
  isRestored: Ref<boolean>
  clearDraft: () => Promise<void>
  restoreDraft: (id: string, draft: DoorDraft) => Promise<void>
} {
  const draft = ref<DoorDraft>(emptyDraft())
  const isRestored = ref(false)
  /** the household whose draft is in `draft`; while another is being read, nothing is kept */
  let owner = ''

  watch(
    householdId,
    async (id) => {
      owner = ''
      isRestored.value = false
      draft.value = emptyDraft()
      const kept = await engine.getDraft<DoorDraft>(keyOf(id))
      if (id !== householdId()) return
      if (kept) {
        draft.value = kept
        isRestored.value = true
      }
      owner = id
    },
    { immediate: true },
  )

  watch(
    draft,
    (changed) => {
      if (!owner || owner !== householdId()) return
      if (isEmpty(changed)) void engine.clearDraft(keyOf(owner))
      else void engine.saveDraft(keyOf(owner), plain(changed))
    },
    { deep: true, flush: 'sync' },
  )

  return {
    draft,
    isRestored,
    async clearDraft() {
      const id = owner
      draft.value = emptyDraft()
      isRestored.value = false
      if (id) await engine.clearDraft(keyOf(id))
    },
    async restoreDraft(id, kept) {
      if (!isEmpty(kept)) await engine.saveDraft(keyOf(id), plain(kept))
      if (owner === id) draft.value = plain(kept)
    },
  }
}
