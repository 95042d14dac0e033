import { beforeAll, describe, expect, it } from 'vitest'
import { language } from '../app/i18n'
import type { Question } from '../questions/form'
import { questionTexts } from '../questions/texts'
import { answerLines, questionPages, widthOf } from './asked'
import { walkSheetTexts } from './texts'

beforeAll(async () => {
  language.value = 'zh-CN'
  await Promise.all([questionTexts.load(), walkSheetTexts.load()])
})

const ask = (question: Partial<Question> & Pick<Question, 'id' | 'kind' | 'text'>): Question => ({ per: 'household', ...question }) as Question
const CAME = ask({ id: 'came', kind: 'yes_no', per: 'person', text: '近期到过武汉？', is_required: true, definition: '1 月 10 日以后' })
const WHEN = ask({ id: 'when', kind: 'date', per: 'person', text: '哪天回来', shown_when: { question: 'came', values: [true] } })
const HEAT = ask({ id: 'heat', kind: 'choice', text: '取暖', options: [{ id: 'coal', text: '燃煤' }, { id: 'gas', text: '燃气' }] })
const MASKS = ask({ id: 'masks', kind: 'number', text: '缺口罩', unit: '只', least: 0, most: 500 })

describe("a round's own questions on paper", () => {
  it('have a box for each answer that can be ticked, of the household once and of each member', () => {
    expect(answerLines([CAME, WHEN, HEAT, MASKS], ['户主', ''])).toEqual([
      { who: '全户', parts: ['3. 取暖', '□燃煤', '□燃气', '4. 缺口罩', '______只'] },
      { who: '户主', parts: ['1. 近期到过武汉？*', '□是', '□否', '2. 哪天回来（第 1 题答“是”才问）', '____年__月__日'] },
      { who: '成员2', parts: ['1. 近期到过武汉？*', '□是', '□否', '2. 哪天回来（第 1 题答“是”才问）', '____年__月__日'] },
    ])
    expect(answerLines([HEAT], ['户主', '配偶'])).toHaveLength(1)
  })

  it('take as many lines as they need, none wider than the paper', () => {
    const wide = ask({ id: 'many', kind: 'choice', text: '很长的问题'.repeat(20), options: Array.from({ length: 20 }, (_, at) => ({ id: `o${at}`, text: '很长的选项'.repeat(8) })) })
    const lines = answerLines([wide], [])
    expect(lines.flatMap((line) => line.parts)).toHaveLength(21)
    expect(Math.max(...lines.map((line) => line.parts.reduce((sum, part) => sum + widthOf(part), 0)))).toBeLessThan(166)
    expect(lines.map((line) => line.who)).toEqual(['全户', ...Array<string>(lines.length - 1).fill('')])
  })

  it('are read in full once, with who, when, how and what counts', () => {
    expect(questionPages([CAME, WHEN, MASKS])).toMatchObject([
      [
        { number: 1, text: '近期到过武汉？', details: ['每人', '* 必答', '口径：1 月 10 日以后'] },
        { number: 2, text: '哪天回来', details: ['每人', '（第 1 题答“是”才问）'] },
        { number: 3, text: '缺口罩', details: ['每户', '0 至 500'] },
      ],
    ])
    expect(questionPages(Array.from({ length: 30 }, (_, at) => ({ ...CAME, id: `q${at}`, definition: '口径'.repeat(240) }))).length).toBeGreaterThan(3)
    expect(questionPages([])).toEqual([])
  })
})
