/**
 * A copy of what will go over the wire or into a draft: data and nothing else. Screens hand over what they hold,
 * which may be watched by their framework; IndexedDB can store no such thing.
 */
export function plainCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
