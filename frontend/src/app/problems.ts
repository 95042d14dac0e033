/** Every failure as a code, every code as a sentence in the person's language. */
import { OfflineError, ProblemError } from '../offline/types'
import { textOr } from './i18n'

/** The stable code of whatever went wrong: the server's own, `offline`, `server` or `unknown`. */
export function problemCode(error: unknown): string {
  if (error instanceof OfflineError) return 'offline'
  if (error instanceof ProblemError) return error.status >= 500 ? 'server' : error.code
  return 'unknown'
}

/** The sentence for a code; one we do not know is named, so that it can be told to somebody. */
export function codeText(code: string): string {
  return textOr(`code.${code}`, 'code.unknown', { code })
}

/** Run what talks to the server; answers its value, or the code of what went wrong. */
export async function orCode<T>(work: Promise<T>): Promise<{ value: T; code: null } | { value: null; code: string }> {
  try {
    return { value: await work, code: null }
  } catch (error) {
    return { value: null, code: problemCode(error) }
  }
}
