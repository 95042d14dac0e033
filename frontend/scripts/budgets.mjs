/** Size budgets of design §7, exact, gzip level 9 like the build's hosts send. Prints a table; exits 1 over budget. */
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url)
const kB = (bytes) => bytes / 1000
const size = (path) => gzipSync(readFileSync(new URL(path, dist)), { level: 9 }).length

const html = readFileSync(new URL('index.html', dist), 'utf8')
const first = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1])
const firstJs = first.filter((path) => path.endsWith('.js'))
const assets = readdirSync(new URL('assets/', dist)).map((name) => `assets/${name}`)
const phone = assets.filter((path) => !path.startsWith('assets/wide-'))
const lazyPages = phone.filter((path) => path.endsWith('.js') && !first.includes(path))
const sum = (paths) => paths.reduce((total, path) => total + size(path), 0)

const rows = [
  ['first-load JS', sum(firstJs), 45],
  ['whole first visit (page, first JS and CSS, icon)', sum(['index.html', ...first, 'icon.svg']), 60],
  ['phone precache', sum(['index.html', 'icon.svg', 'icon-192.png', ...phone]), 120],
  ...lazyPages.map((path) => [`lazy ${path.slice(7)}`, size(path), 6]),
]
let isOver = false
for (const [name, bytes, budget] of rows) {
  const over = kB(bytes) > budget
  isOver ||= over
  console.log(`${over ? 'OVER ' : '     '}${kB(bytes).toFixed(1).padStart(7)} of ${String(budget).padStart(4)} kB gzip  ${name}`)
}
process.exit(isOver ? 1 : 0)
