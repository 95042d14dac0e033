import { describe, expect, it } from 'vitest'
import { answered, faultOf, fits, linesOf, parseNumber, standing, withAnswer, type OwnAnswer, type Question } from './form'

const ask = (question: Partial<Question> & Pick<Question, 'id' | 'kind'>): Question => ({ text: question.id, per: 'household', ...question }) as Question
const BACK = ask({ id: 'back', kind: 'yes_no', per: 'person', is_required: true })
const WHEN = ask({ id: 'back_on', kind: 'date', per: 'person', is_required: true, shown_when: { question: 'back', values: [true] } })
const HOW = ask({ id: 'how', kind: 'choice', per: 'person', options: [{ id: 'car', text: '自驾' }], shown_when: { question: 'back', values: [true] } })
const PLATE = ask({ id: 'plate', kind: 'text', per: 'person', shown_when: { question: 'how', values: ['car'] } })
const MASKS = ask({ id: 'masks', kind: 'number', least: 0, most: 500 })
const FORM = { questions: [BACK, WHEN, HOW, PLATE, MASKS] }
const LI = { id: 'li', name: '李' }
const WANG = { id: 'wang', name: '王' }

const asked = (answers: OwnAnswer[]): string[] => linesOf(FORM, [LI, WANG], answers).map((line) => `${line.question.id}/${line.person?.id ?? ''}`)

describe('what is asked', () => {
  it('is the household first, then each person, and what hangs on an answer once it is given', () => {
    expect(asked([])).toEqual(['masks/', 'back/li', 'back/wang'])
    expect(asked([answered('back', 'wang', true)])).toEqual(['masks/', 'back/li', 'back/wang', 'back_on/wang', 'how/wang'])
    expect(asked([answered('back', 'li', false)])).toEqual(['masks/', 'back/li', 'back/wang'])
  })

  it('goes with what it hangs on, and so does what was said to it', () => {
    const all = [answered('back', 'li', true), answered('how', 'li', 'car'), answered('plate', 'li', '鲁A')]
    expect(asked(all)).toContain('plate/li')
    const changed = withAnswer(all, linesOf(FORM, [LI], all).find((line) => line.question.id === 'back')!, false)
    expect(standing(linesOf(FORM, [LI], changed))).toEqual([answered('back', 'li', false)])
  })

  it('an answer of the household lets questions of persons be asked', () => {
    const pets = ask({ id: 'pets', kind: 'yes_no' })
    const bitten = ask({ id: 'bitten', kind: 'yes_no', per: 'person', shown_when: { question: 'pets', values: [true] } })
    const lines = linesOf({ questions: [pets, bitten] }, [LI], [answered('pets', null, true)])
    expect(lines.map((line) => line.question.id)).toEqual(['pets', 'bitten'])
  })
})

describe('what is wrong', () => {
  const faults = (answers: OwnAnswer[]) => linesOf(FORM, [LI], answers).map((line) => [line.question.id, faultOf(line)]).filter(([, fault]) => fault)

  it('what must be answered is missed only where it is asked', () => {
    expect(faults([])).toEqual([['back', 'missing']])
    expect(faults([answered('back', 'li', true)])).toEqual([['back_on', 'missing']])
    expect(faults([answered('back', 'li', false)])).toEqual([])
  })

  it('no is an answer, and an emptied one is none', () => {
    const no = withAnswer([], linesOf(FORM, [LI], [])[1]!, false)
    expect(no).toEqual([{ question: 'back', resident_id: 'li', value: false }])
    expect(withAnswer(no, linesOf(FORM, [LI], no)[1]!, undefined)).toEqual([])
  })

  it('values fit their question or not', () => {
    const good: [Question, OwnAnswer['value']][] = [[BACK, true], [HOW, 'car'], [MASKS, 0], [MASKS, 500], [WHEN, '2026-01-20'], [PLATE, '鲁A']]
    const bad: [Question, OwnAnswer['value']][] = [[BACK, 'true'], [HOW, 'bus'], [MASKS, 501], [MASKS, -1], [MASKS, NaN], [WHEN, '2026-13-01'], [WHEN, '1月20日'], [PLATE, true]]
    for (const [question, value] of good) expect(fits(question, value), `${question.id} ${value}`).toBe(true)
    for (const [question, value] of bad) expect(fits(question, value), `${question.id} ${value}`).toBe(false)
  })
})

it('numbers are read as they are typed', () => {
  expect(['20', '２０', '-3', '36。5', ' 7 '].map(parseNumber)).toEqual([20, 20, -3, 36.5, 7])
  expect(['', '二十', '1e5', '3只', '--1'].map(parseNumber)).toEqual(Array(5).fill(undefined))
})
