/** The four steps of an import, and which of them can be stood on. */
import type { Import } from './imports'

export const STEPS = ['file', 'columns', 'preview', 'done'] as const
export type Step = (typeof STEPS)[number]

type Standing = Pick<Import, 'kind' | 'status' | 'counts'>

/** Whether something is still being worked on at the server. */
export function isUnderWay(job: Pick<Import, 'status'>): boolean {
  return job.status === 'queued' || job.status === 'running'
}

/** Whether a step can be gone to: back always, forward as far as the import is. */
export function isReachable(step: Step, job: Standing | null): boolean {
  if (step === 'file') return true
  if (!job || isUnderWay(job) || job.status === 'failed') return false
  // a division list has its columns by name and nothing to map
  if (step === 'columns') return job.kind === 'roster'
  return step === 'preview' || job.status === 'done'
}

/** The step to show: the wanted one if it can be stood on, else where the import is. */
export function stepOf(wanted: string | undefined, job: Standing | null): Step {
  const asked = STEPS.find((step) => step === wanted)
  if (asked && isReachable(asked, job)) return asked
  if (!job || job.status === 'failed') return 'file'
  if (job.status === 'done') return 'done'
  return job.kind === 'roster' && (!asked || asked === 'file') ? 'columns' : 'preview'
}

/** Whether a file says just what the registry says: nothing to write, nothing that stands against it, nobody to ask about. */
export function saysTheSame({ created, updated, kept, asked }: Pick<Import['counts'], 'created' | 'updated' | 'kept' | 'asked'>): boolean {
  return created + updated + kept + asked === 0
}
