/** Words for doors: states, signs on tiles, tags, the address of a member. */
import { t, textOr } from '../app/i18n'
import type { Door, Member } from './door'

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

/** A household's tag in words; one we do not know is shown as it came. */
export function tagWord(tag: string): string {
  return textOr(`tag.${tag}`, 'place.other')
}

/** 女 80 岁 · 户主, as far as it is known. */
export function memberLine(member: Member, thisYear: number): string {
  const sex = textOr(`sex.${member.sex}`, 'sex.0')
  const age = member.birthYear === null ? '' : t('door.sex_age', { sex, age: String(thisYear - member.birthYear) }).trim()
  return [age || sex, member.relation].filter(Boolean).join(' · ')
}
