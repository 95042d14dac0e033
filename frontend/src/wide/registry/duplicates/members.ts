/** Who of one household is who of the other, as the committee says it. */
import type { Pair, Person, PersonFact } from './pair'

export interface MemberChoice {
  one: Person
  other: Person
  differences: PersonFact[]
  /** whose entry stays; `none`: they are two people */
  keep: 'one' | 'other' | 'none'
  /** facts taken from the entry that goes */
  take: PersonFact[]
}

/** What seems to be so: the pairs that were found, and of each the entry with a document stays, else the first. */
export function startingMembers(pair: Pair): MemberChoice[] {
  const people = new Map(pair.sides.flatMap((side) => side.household?.members ?? []).map((one) => [one.resident_id, one]))
  return pair.members.flatMap((found) => {
    const one = people.get(found.one)
    const other = people.get(found.other)
    if (!one || !other) return []
    return [{ one, other, differences: found.differences, keep: !one.id_masked && other.id_masked ? 'other' as const : 'one' as const, take: [] }]
  })
}
