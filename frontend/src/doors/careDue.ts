/** Who is waiting for a care visit, and who comes first. */
import { dayOf } from '../app/days'
import { isFinding, type FindingRules } from '../app/limits'
import type { Door } from './door'

const CARE_TAGS: ReadonlySet<string> = new Set(['living_alone_elder', 'household_in_hardship'])

/** A visit is promised for today or earlier, or the household should be looked after and nobody has been there. */
export function needsCare(door: Door, today: string): boolean {
  if (door.care?.nextOn) return door.care.nextOn <= today
  if (door.care?.at) return door.care.condition === 'not_reached'
  return door.tags.some((tag) => CARE_TAGS.has(tag))
}

export type Urgency =
  | { kind: 'symptoms'; door: Door; name: string; check: NonNullable<Door['members'][number]['check']> }
  | { kind: 'promise'; door: Door; day: string }
  | { kind: 'attention'; door: Door }

/** What cannot wait: findings (by the rules of the day people were asked on), broken promises, people found in need with no next date. */
export function listUrgent(doors: Door[], today: string, rulesOn: (day: string) => FindingRules): Urgency[] {
  const ill: Urgency[] = []
  const late: Urgency[] = []
  const attention: Urgency[] = []
  for (const door of doors) {
    for (const member of door.members) {
      const check = member.check
      if (check && isFinding(rulesOn(door.askedAt ? dayOf(door.askedAt) : today), check.status, check.temperature, check.riskArea)) {
        ill.push({ kind: 'symptoms', door, name: member.name, check })
      }
    }
    if (door.care?.nextOn && door.care.nextOn < today) late.push({ kind: 'promise', door, day: door.care.nextOn })
    else if (door.care?.condition === 'needs_attention' && !door.care.nextOn) attention.push({ kind: 'attention', door })
  }
  late.sort((a, b) => (a.kind === 'promise' && b.kind === 'promise' ? a.day.localeCompare(b.day) : 0))
  return [...ill, ...late, ...attention]
}

/** Care visits due that are not already urgent, the longest promised first, never visited last. */
export function listCareDue(doors: Door[], today: string): Door[] {
  return doors
    .filter((door) => needsCare(door, today) && !(door.care?.nextOn && door.care.nextOn < today))
    .sort((a, b) => (a.care?.nextOn ?? '9999').localeCompare(b.care?.nextOn ?? '9999'))
}
