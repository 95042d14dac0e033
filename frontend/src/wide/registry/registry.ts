/** Words and places of the registry. */
import { t as app, textOr } from '../../app/i18n'
import type { Schema } from '../calls'
import { t as frame } from '../texts'
import { t } from './texts'

export type Household = Schema<'HouseholdRead'>
export type Resident = Schema<'ResidentRead'>
export type HouseholdTag = Schema<'HouseholdTag'>

/** The sexes one can choose; 0 is "not said". */
export const sexOptions = (): { value: string; label: string }[] => [
  { value: '0', label: t('form.sex_unknown') },
  { value: '1', label: app('sex.1') },
  { value: '2', label: app('sex.2') },
]
export const sexOf = (sex: number): string => (sex === 1 || sex === 2 ? app(`sex.${sex}`) : '')

export const TAGS: readonly HouseholdTag[] = [
  'living_alone_elder', 'household_in_hardship', 'tenant', 'chronic_illness', 'disabled', 'pregnant', 'infant', 'collective_household',
]
export const tagOptions = (): { value: HouseholdTag; label: string }[] => TAGS.map((value) => ({ value, label: app(`tag.${value}`) }))

/** A building by name: `花园小区 3号楼`; doors without one stand under "other addresses". */
export function buildingName(compound: string, building: string): string {
  const name = /^\d+$/.test(building) ? frame('place.building', { name: building }) : building
  return [compound, name].filter(Boolean).join(' ') || frame('place.other')
}

/** A door as people write it. */
export function addressOf(household: Pick<Household, 'compound' | 'building' | 'stair' | 'room' | 'address'>): string {
  const { compound, building, stair, room } = household
  const numbered = (text: string, unit: string): string => (/^\d+$/.test(text) ? `${text}${unit}` : text)
  return household.address || [compound, numbered(building, '号楼'), numbered(stair, '单元'), room].filter(Boolean).join(' ')
}

/** What was said of a person's health, in words. */
export function healthText(one: { status?: string | null; temperature_c: number | null; symptoms: string[]; risk_area: boolean | null }): string {
  return [
    one.status && textOr(`person.${one.status}`, 'symptom.other'),
    one.temperature_c !== null && `${one.temperature_c.toFixed(1)} ℃`,
    ...one.symptoms.map((symptom) => textOr(`symptom.${symptom}`, 'symptom.other')),
    one.risk_area === true && app('person.risk_area'),
    one.risk_area === false && t('copy.no_risk'),
  ].filter(Boolean).join(frame('list.comma'))
}
