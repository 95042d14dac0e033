import { beforeAll, describe, expect, it } from 'vitest'
import { language, loadTexts } from '../app/i18n'
import type { Door, Member } from './door'
import { searchDoors } from './search'

function door(room: string, head: string, initials: string, members: Partial<Member>[] = []): Door {
  return { id: room, compound: '', building: '3', stair: '2', floor: 5, room, address: '', head, initials, members: members as Member[], tags: [] } as unknown as Door
}
const DOORS = [
  door('501', '王小明', 'wxm', [{ name: '王小明', initials: 'wxm' }, { name: '李红', initials: 'lh' }]),
  door('502', '赵大海', 'zdh', [{ name: '赵大海', initials: 'zdh' }]),
]
const found = (query: string) => searchDoors(DOORS, query).map((one) => one.room)

beforeAll(async () => {
  language.value = 'zh-CN'
  await loadTexts()
})

describe('searchDoors', () => {
  it.each([
    ['王小', ['501']],
    ['wx', ['501']],
    ['WXM', ['501']],
    ['lh', ['501']],
    ['李红', ['501']],
    ['502', ['502']],
    ['３号楼', ['501', '502']],
    ['3-2-502', ['502']],
    ['3 赵', ['502']],
    ['', ['501', '502']],
    ['孙', []],
  ])('finds by %s', (query, rooms) => {
    expect(found(query)).toEqual(rooms)
  })
})
