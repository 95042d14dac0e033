/**
 * Size budgets of the phone, exact, gzip level 9 like the build's hosts send. Prints a table; exits 1 over budget.
 *
 * A first visit shows the sign-in page, so that page is part of the first load; the engine is fetched as soon as
 * it stands and belongs to the visit. What pages share is held by "start inside": everything a phone with a
 * session reads, wherever it lies, until Today is drawn.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
const size = (path) => gzipSync(readFileSync(new URL(path, dist)), { level: 9 }).length
const sum = (paths) => [...paths].reduce((total, path) => total + size(path), 0)

/** Files of a source and of all it imports at once (not what it imports later). */
function filesOf(key, found = new Set(), seen = new Set()) {
  if (seen.has(key)) return found
  seen.add(key)
  const { file, css = [], imports = [] } = manifest[key]
  for (const path of [file, ...css]) found.add(path)
  for (const imported of imports) filesOf(imported, found, seen)
  return found
}
const together = (...keys) => new Set(keys.flatMap((key) => [...filesOf(key)]))
const js = (paths) => [...paths].filter((path) => path.endsWith('.js'))

const html = readFileSync(new URL('index.html', dist), 'utf8')
const named = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1])
const assets = readdirSync(new URL('assets/', dist)).map((name) => `assets/${name}`)
const phone = assets.filter((path) => !path.startsWith('assets/wide-'))
// a phone keeps the texts of the language it speaks; the first screen's Chinese is in the first load
const textsOf = (language) => phone.filter((path) => path.startsWith(`assets/text-${language}-`))
const languages = ['zh-CN', 'en'].map((language) => sum(textsOf(language)))
// parts that only doors need are kept by phones that have doors (`src/sw.ts`)
const ofDoors = phone.filter((path) => path.startsWith('assets/part-'))
const spoken = phone.filter((path) => !/^assets\/(text|part)-/.test(path))
const chunk = (name) => Object.keys(manifest).filter((key) => manifest[key].name === name)

const first = new Set([...named, ...together('index.html')])
// the router imports it at once; were it lazy again, it would still be fetched before anything is seen
if (manifest['src/auth/SignIn.vue']) for (const path of filesOf('src/auth/SignIn.vue')) first.add(path)
const visit = new Set([...first, ...together(...chunk('engine'))])
const texts = ['doors', 'rest'].map((name) => `src/app/texts/zh-CN/${name}.ts`)
const inside = new Set([...visit, ...together('src/app/Beside.vue', 'src/doors/Today.vue', ...texts)])

/** Pages and packs of texts: everything that is neither in the first visit nor shared by all pages. */
const shared = new Set([...visit, ...together(...chunk('kit'))])
const lazy = js(phone).filter((path) => !shared.has(path))

const rows = [
  ['first-load JS, sign-in page included', sum(js(first)), 45],
  ['whole first visit (page, JS and CSS, icon, engine)', sum(['index.html', ...visit, 'icon-192.png']), 60],
  ['start inside: all JS and CSS until Today is drawn', sum(inside), 80],
  ['phone precache, with the texts of the longer language', sum(['index.html', 'icon-192.png', ...spoken]) + Math.max(...languages), 120],
  ['kept besides by phones with doors', sum(ofDoors), 8],
  ...lazy.map((path) => [`lazy ${path.slice(7)}`, size(path), 6]),
]
let isOver = false
for (const [name, bytes, budget] of rows) {
  const kB = bytes / 1000
  isOver ||= kB > budget
  console.log(`${kB > budget ? 'OVER ' : '     '}${kB.toFixed(1).padStart(7)} of ${String(budget).padStart(4)} kB gzip  ${name}`)
}
process.exit(isOver ? 1 : 0)
