/** A pair as the list shows it: facts side by side, and what may be chosen between. */
import { textOr } from '../../../app/i18n'
import { relationWord } from '../../../doors/words'
import type { Schema } from '../../calls'
import { sexOf } from '../registry'
import { t } from './texts'

export type Pair = Schema<'DuplicateRead'>
export type Side = Schema<'Side'>
export type Person = Schema<'PersonSide'>
export type Fact = Pair['differences'][number]
export type PersonFact = Schema<'MemberPair'>['differences'][number]

export interface FactRow {
  key: string
  label: string
  values: string[]
  differs: boolean
}

const tagsOf = (tags: string[]): string => tags.map((tag) => textOr(`tag.${tag}`, 'place.other')).join('、')

/** A fact of a person in words; "" is unknown. */
export function personFact(person: Person, fact: PersonFact): string {
  switch (fact) {
    case 'name': return person.name
    case 'sex': return sexOf(person.sex)
    case 'birth_on': return person.birth_year ? String(person.birth_year) : ''
    case 'relation': return relationWord(person.relation)
    case 'workplace': return person.workplace
    case 'id_number': return person.id_masked ?? ''
    case 'phone': return person.phone_masked ?? ''
  }
}

/** A fact of a side in words. */
export function factOf(side: Side, fact: Fact): string {
  if (side.person) return personFact(side.person, fact as PersonFact)
  const home = side.household
  if (!home) return ''
  if (fact === 'head_name') return home.head_name
  if (fact === 'kind') return t(`fact.kind_${home.kind}`)
  return (fact === 'phone' ? home.phone_masked : fact === 'note' ? home.note : '') ?? ''
}

const PERSON_FACTS: PersonFact[] = ['name', 'sex', 'birth_on', 'relation', 'id_number', 'phone', 'workplace']
const HOME_FACTS: Fact[] = ['head_name', 'phone', 'kind', 'note']

/** Facts that at least one side has, each with whether both have it and not the same. */
export function rowsOf(pair: Pair): FactRow[] {
  const facts = pair.kind === 'household' ? HOME_FACTS : PERSON_FACTS
  const rows: FactRow[] = facts.map((fact) => ({
    key: fact, label: t(`fact.${fact}`), values: pair.sides.map((side) => factOf(side, fact)), differs: pair.differences.includes(fact),
  }))
  rows.splice(1, 0, { key: 'address', label: t('fact.address'), values: pair.sides.map((side) => side.address), differs: false })
  if (pair.kind === 'household') {
    rows.push({ key: 'members', label: t('fact.members'), values: pair.sides.map((side) => side.household?.members.map((one) => one.name).join('、') ?? ''), differs: false })
  }
  rows.push({ key: 'tags', label: t('fact.tags'), values: pair.sides.map((side) => tagsOf(side.person?.tags ?? side.household?.tags ?? [])), differs: false })
  return rows.filter((row) => row.values.some(Boolean))
}

/** The id of what a side is about. */
export const idOf = (side: Side): string => side.person?.resident_id ?? side.household?.household_id ?? ''
export const homeOf = (side: Side): string => side.person?.household_id ?? side.household?.household_id ?? ''
