import { expect, it } from 'vitest'
import { conditionsFor, freeId, moved, newQuestion, settled } from './round'

const yes = { ...newQuestion([]), id: 'q1', per: 'person' as const }
const hangs = { ...newQuestion([]), id: 'q2', per: 'person' as const, shown_when: { question: 'q1', values: [true] } }
const home = { ...newQuestion([]), id: 'q3' }

it('a question moved before what it hangs on hangs on nothing', () => {
  expect(moved([yes, hangs, home], 2, -1).map((q) => q.id)).toEqual(['q1', 'q3', 'q2'])
  expect(moved([yes, hangs, home], 2, -1)[2]!.shown_when).not.toBeNull()
  expect(moved([yes, hangs], 1, -1).map((q) => q.shown_when)).toEqual([null, null])
  expect(settled([hangs])[0]!.shown_when).toBeNull()
  expect(moved([yes], 0, -1)).toEqual([yes])
})

it("a household's question does not hang on a person's, nor on a number", () => {
  expect(conditionsFor([yes, { ...home, kind: 'number' }, hangs], 2).map((q) => q.id)).toEqual(['q1'])
  expect(conditionsFor([yes, home], 1)).toEqual([])
})

it('an id is free', () => expect([freeId([]), freeId(['q1']), freeId(['q2', 'x'])]).toEqual(['q1', 'q2', 'q3']))
