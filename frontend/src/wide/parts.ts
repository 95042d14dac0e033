/** The parts of the desk in the order of the rail. An entry stands here when its page exists. */
import { admin } from './admin/part'
import { areas } from './areas/part'
import { care } from './care/part'
import { coverage } from './coverage/part'
import { importPart } from './import/part'
import type { DeskPart } from './pages'
import { posts } from './posts/part'
import { registry } from './registry/part'
import { screening } from './screening/part'

export const parts: DeskPart[] = [coverage, registry, screening, areas, posts, care, importPart, admin]
