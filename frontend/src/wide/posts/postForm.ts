/** A post as the form holds it: times as a wall clock in Shanghai, whatever zone the computer is in. */
import { addDays, today } from '../../app/days'
import type { Schema } from '../calls'

export type Post = Schema<'PostRead'>
export type Kind = Schema<'PostKind'>

export const KINDS: readonly Kind[] = ['checkpoint', 'screening', 'monitoring', 'care', 'publicity', 'disinfection', 'supplies', 'watch', 'other']
const MOST_WANTED = 1000

export interface PostForm {
  title: string
  kind: Kind
  isDemonstration: boolean
  duty: string
  place: string
  /** `YYYY-MM-DDTHH:MM` on a clock in Shanghai */
  startsAt: string
  endsAt: string
  wanted: string
  isPublished: boolean
}
type WrongKey = 'wrong.title' | 'wrong.starts' | 'wrong.ends' | 'wrong.order' | 'wrong.over' | 'wrong.wanted' | 'wrong.claimed'
export type Wrong = Partial<Record<'title' | 'startsAt' | 'endsAt' | 'wanted', WrongKey>>

/** An instant as the clock in Shanghai shows it. */
export function wallTime(iso: string): string {
  return new Date(Date.parse(iso) + 8 * 3_600_000).toISOString().slice(0, 16)
}
/** The instant a clock in Shanghai shows; it has kept UTC+8 without summer time since 1991. */
export function instantOf(wall: string): string {
  return `${wall}:00+08:00`
}

/** A new post: tomorrow, eight to twelve. */
export function emptyForm(): PostForm {
  const day = addDays(today(), 1)
  return {
    title: '', kind: 'checkpoint', isDemonstration: false, duty: '', place: '',
    startsAt: `${day}T08:00`, endsAt: `${day}T12:00`, wanted: '2', isPublished: true,
  }
}

export function formOf(post: Post): PostForm {
  return {
    title: post.title, kind: post.kind, isDemonstration: post.is_demonstration, duty: post.duty, place: post.place,
    startsAt: wallTime(post.starts_at), endsAt: wallTime(post.ends_at), wanted: String(post.wanted_count), isPublished: post.is_published,
  }
}

/** What is wrong with the form, by field; nothing when it can be sent. */
export function checkForm(form: PostForm, claimed: number, now: number): Wrong {
  const wrong: Wrong = {}
  const wanted = Number(form.wanted)
  if (!form.title.trim()) wrong.title = 'wrong.title'
  if (!form.startsAt) wrong.startsAt = 'wrong.starts'
  if (!form.endsAt) wrong.endsAt = 'wrong.ends'
  else if (form.endsAt <= form.startsAt) wrong.endsAt = 'wrong.order'
  else if (Date.parse(instantOf(form.endsAt)) <= now) wrong.endsAt = 'wrong.over'
  if (!/^\d+$/.test(form.wanted.trim()) || wanted < 1 || wanted > MOST_WANTED) wrong.wanted = 'wrong.wanted'
  else if (wanted < claimed) wrong.wanted = 'wrong.claimed'
  return wrong
}

/** What is sent of the form. */
export function bodyOf(form: PostForm) {
  return {
    title: form.title.trim(), kind: form.kind, is_demonstration: form.isDemonstration, duty: form.duty, place: form.place,
    starts_at: instantOf(form.startsAt), ends_at: instantOf(form.endsAt), wanted_count: Number(form.wanted), is_published: form.isPublished,
  }
}

/** How many are still wanted. */
export function missingOf(post: Pick<Post, 'wanted_count' | 'claimed_count'>): number {
  return Math.max(0, post.wanted_count - post.claimed_count)
}
