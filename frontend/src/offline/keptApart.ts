/**
 * What the service worker keeps for the phones that need it, apart from what all keep: the texts of a language, and
 * parts that only doors need. Here the page tells it which.
 */
export const APART_CACHE = 'texts'
export const LANGUAGE_ENTRY = '/language'

/** Chunks `assets/part-NAME-…`, as the build names them. */
export type Part = 'photos' | 'questions'
export const partEntry = (part: string): string => `/part/${part}`
