/** A post as an iCalendar file (RFC 5545), so that the phone's own calendar reminds of it. */
import type { Post } from './post'

function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replace(/\r?\n/g, '\\n')
}

/** Lines longer than 75 bytes go on after a line break and a space; a character is never cut in two. */
function folded(line: string): string {
  const encoder = new TextEncoder()
  let out = ''
  let size = 0
  for (const character of line) {
    const bytes = encoder.encode(character).length
    if (size + bytes > 74) {
      out += '\r\n '
      size = 1
    }
    out += character
    size += bytes
  }
  return out
}

/** The file's text, with an alarm half an hour before the start. */
export function calendarFile(post: Post, now: number): string {
  return (
    [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//Pioneer Grid//Posts//ZH',
      'BEGIN:VEVENT',
      `UID:${post.id}@pioneer-grid`,
      `DTSTAMP:${stamp(now)}`,
      `DTSTART:${stamp(post.startsAt)}`,
      `DTEND:${stamp(post.endsAt)}`,
      `SUMMARY:${escaped(post.title)}`,
      `LOCATION:${escaped([post.communityName, post.place].filter(Boolean).join(' '))}`,
      `DESCRIPTION:${escaped(post.duty)}`,
      'BEGIN:VALARM',
      'ACTION:DISPLAY',
      `DESCRIPTION:${escaped(post.title)}`,
      'TRIGGER:-PT30M',
      'END:VALARM',
      'END:VEVENT',
      'END:VCALENDAR',
    ]
      .map(folded)
      .join('\r\n') + '\r\n'
  )
}
