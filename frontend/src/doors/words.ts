/** Words for doors: states, signs on tiles, tags, the address of a member. */
import { dayOf } from '../app/days'
import { t, textOr } from '../app/i18n'
import { partOf, partsTried, tryAgainAt, type Door, type Member } from './door'

/** The state of a door in words: 无人应答 2 次. */
export function stateWord(door: Pick<Door, 'state' | 'attempts'>): string {
  if (door.state === 'no_answer' && door.attempts > 1) return t('state.no_answer_times', { n: door.attempts })
  return t(`state.${door.state}`)
}

/** The sign on a tile: its first letter, with the number of misses. */
export function stateSign(door: Pick<Door, 'state' | 'attempts'>): string {
  if (door.state === 'no_answer' && door.attempts > 1) return t('sign.no_answer_times', { n: door.attempts })
  return t(`sign.${door.state}`)
}

/** Where nobody opened, when to go again: 上午敲过，下午再去. "" for other doors. */
export function againWord(door: Pick<Door, 'state' | 'at' | 'missed'>, now: number): string {
  if (door.state !== 'no_answer' || door.at === null) return ''
  const tried = partsTried(door)
  const part = ([0, 1, 2] as const).filter((one) => tried & (1 << one)).map((one) => t(`part.${one}`)).join('/')
  const again = tryAgainAt(door, now)
  if (again <= now) return t('again.now', { part })
  return t(dayOf(again) === dayOf(now) ? 'again.later' : 'again.tomorrow', { part, next: t(`part.${partOf(again)}`) })
}

/** A household's tag in words; one we do not know is shown as it came. */
export function tagWord(tag: string): string {
  return textOr(`tag.${tag}`, 'place.other')
}

/** A relation to the head as it is said in the reader's language; one we do not know stands there as it was written. */
export function relationWord(relation: string): string {
  const known = t('relations').split(',').find((one) => one.startsWith(`${relation} `))
  return relation && known ? known.slice(relation.length + 1) : relation
}

/** 女 80 岁 · 户主, as far as it is known. */
export function memberLine(member: Member, thisYear: number): string {
  const sex = textOr(`sex.${member.sex}`, 'sex.0')
  const age = member.birthYear === null ? '' : t('door.sex_age', { sex, age: String(thisYear - member.birthYear) }).trim()
  return [age || sex, relationWord(member.relation)].filter(Boolean).join(' · ')
}
