/** Where the service worker keeps texts, and where the page tells it the language of this phone. */
export const TEXTS_CACHE = 'texts'
export const LANGUAGE_ENTRY = '/language'
