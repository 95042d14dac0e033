/** The figures that change, in words. */
import { deskGrants } from '../../auth/session'
import type { Schema } from '../calls'
import { t } from './texts'

export type Rule = Schema<'RuleRead'>

const KEYS = [
  'finding.temperature_c', 'finding.symptoms', 'finding.contact', 'not_home.misses', 'not_home.day_parts',
  'retention.screening', 'retention.care', 'retention.photos', 'retention.edits', 'retention.merges',
  'retention.tags', 'retention.notes', 'retention.departed',
] as const

/** What a rule is called; one that is newer than this page by its key. */
export function ruleName(key: string): string {
  const known = KEYS.find((one) => one === key)
  return known ? t(`rule.${known}`) : key
}

/** A figure with its unit. */
export function ruleValue(rule: Pick<Rule, 'unit' | 'value'>): string {
  if (rule.unit === 'switch') return t(rule.value ? 'rule.on' : 'rule.off')
  return t(`rule.unit.${rule.unit}`, { n: rule.unit === 'celsius' ? rule.value.toFixed(1) : rule.value })
}

/** Rules hold for all who use the service: a city's desk sets them. */
export const isCity = (): boolean => deskGrants.value.some((grant) => grant.role === 'city')
