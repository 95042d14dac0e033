/** Finding a door by what one knows of it: a name, a room, pinyin initials, a building. */
import type { Door } from './door'
import { stairTitle } from './places'

/** Full-width letters and digits become plain ones; case and spaces at the ends do not matter. */
function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim()
}

/** Does one word of the query fit this door? */
function fits(word: string, door: Door, title: string): boolean {
  if (/^[a-z]+$/.test(word)) {
    if (door.initials.toLowerCase().startsWith(word)) return true
    if (door.members.some((member) => member.initials.toLowerCase().startsWith(word))) return true
  }
  if (/^\d+$/.test(word)) {
    return door.room.includes(word) || door.building === word || door.stair === word || door.address.includes(word)
  }
  return (
    plain(door.head).includes(word) ||
    door.members.some((member) => plain(member.name).includes(word)) ||
    plain(door.room) === word ||
    title.includes(word) ||
    plain(door.address).includes(word)
  )
}

/** Doors that fit every word of the query (words end at spaces, dashes, slashes); all doors for an empty one. */
export function searchDoors(doors: Door[], query: string): Door[] {
  const words = plain(query).split(/[\s\-/、，,]+/u).filter(Boolean)
  if (!words.length) return doors
  return doors.filter((door) => {
    const title = plain(stairTitle(door, true))
    return words.every((word) => fits(word, door, title))
  })
}
