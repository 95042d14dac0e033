/** The parts of the desk in the order of the rail. An entry stands here when its page exists. */
import { areas } from './areas/part'
import { coverage } from './coverage/part'
import { importPart } from './import/part'
import type { DeskPart } from './pages'
import { posts } from './posts/part'

export const parts: DeskPart[] = [coverage, areas, posts, importPart]
