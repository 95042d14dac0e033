/** Stays and events in words. */
import { formatDay } from '../../app/days'
import { textOr } from '../../app/i18n'
import type { Schema } from '../calls'
import { t } from './texts'

export type Stay = Schema<'ResidenceRead'>
export type TimelineEvent = Schema<'TimelineEvent'>

/** From when to when: `起始不详 至 2026年3月1日`. */
export function periodOf(stay: Pick<Stay, 'started_on' | 'ended_on'>): string {
  const from = stay.started_on ? formatDay(stay.started_on) : t('stay.unknown')
  return t('stay.period', { from, to: stay.ended_on ? formatDay(stay.ended_on) : t('stay.now') })
}

/** Why a stay ended, else how it began, with where from and where to. */
export function reasonOf(stay: Stay): string {
  const words: string[] = []
  const from = [stay.from_community_name, stay.from_place].filter(Boolean).join(' ')
  const to = [stay.to_community_name, stay.to_place].filter(Boolean).join(' ')
  if (stay.kind !== 'lives_here') words.push(t(`stay.${stay.kind}`))
  else if (stay.reason_in) words.push(t(`event.${inName(stay.reason_in)}`))
  if (from) words.push(t('stay.from', { place: from }))
  if (stay.reason_out) words.push(t(`event.${outName(stay.reason_out)}`))
  if (to) words.push(stay.kind === 'registered_elsewhere' ? to : t('stay.to', { place: to }))
  if (stay.transfer_status) words.push(t(`transfer.${stay.transfer_status}`))
  return words.join(' · ')
}
const inName = (reason: NonNullable<Stay['reason_in']>) => (reason === 'split' ? 'split_in' : reason === 'merged' ? 'merged_in' : reason)
const outName = (reason: NonNullable<Stay['reason_out']>) => (reason === 'split' ? 'split_out' : reason === 'merged' ? 'merged_out' : reason)

/** What happened, in a line. */
export function eventText(event: TimelineEvent): string {
  const outcome = event.outcome ?? ''
  if (event.event === 'tenure') return t('event.tenure', { kind: t(`tenure.${outcome}` as 'tenure.owner') })
  if (event.event === 'door_visit') return t('event.door_visit', { outcome: textOr(`state.${outcome}`, 'state.todo') })
  if (event.event === 'care_visit') return t('event.care_visit', { outcome: textOr(`care.${outcome}`, 'care.well') })
  const where = [event.community_name, event.place].filter(Boolean).join(' ')
  return [t(`event.${event.event}`), where].filter(Boolean).join('：')
}

/** Whom it was about; at a door with what was answered for them. */
export const peopleText = (event: TimelineEvent): string =>
  event.persons.map((one) => (one.status ? t('event.person', { name: one.name, status: textOr(`person.${one.status}`, 'person.unknown') }) : one.name)).join('、')

