/** Which door comes next: the one a person on the stairs would walk to. */
import { isDue, type Door } from './door'
import { groupByStair, isLanePlace, stairKey } from './places'

function floorOf(door: Door): number {
  return door.floor ?? 0
}

/** Within a stair: the same floor first, then the nearest floor (upwards when both are as near). */
function nearestOnStair(due: Door[], from: Door): Door | undefined {
  const here = floorOf(from)
  let best: Door | undefined
  for (const door of due) {
    if (!best) {
      best = door
      continue
    }
    const distance = Math.abs(floorOf(door) - here)
    const bestDistance = Math.abs(floorOf(best) - here)
    if (distance < bestDistance || (distance === bestDistance && floorOf(door) > floorOf(best))) best = door
  }
  return best
}

/** In a lane: the next house on, and round again to those left behind. */
function nextInLane(ordered: Door[], due: Door[], from: Door): Door | undefined {
  const position = ordered.findIndex((door) => door.id === from.id)
  return due.find((door) => ordered.indexOf(door) > position) ?? due[0]
}

/**
 * The next door due after `from`: on the same stair if there is one, else on the next stair that has some
 * (starting from the ground), round to the first stair again.
 * @returns undefined when nothing is due
 */
export function nextDoor(doors: Door[], from: Door | null, now: number): Door | undefined {
  const groups = groupByStair(doors)
  const dueOf = (group: { doors: Door[] }) => group.doors.filter((door) => door.id !== from?.id && isDue(door, now))
  if (from) {
    const at = groups.findIndex((group) => group.key === stairKey(from))
    const here = groups[at]
    if (here) {
      const due = dueOf(here)
      const next = isLanePlace(from) ? nextInLane(here.doors, due, from) : nearestOnStair(due, from)
      if (next) return next
    }
    groups.push(...groups.splice(0, at + 1))
  }
  for (const group of groups) {
    const first = dueOf(group)[0]
    if (first) return first
  }
  return undefined
}
