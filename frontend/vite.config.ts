import { readFileSync } from 'node:fs'
import vue from '@vitejs/plugin-vue'
import { minify } from 'terser'
import { VitePWA } from 'vite-plugin-pwa'
import { defineConfig } from 'vitest/config'

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }

const API_DOCS = ['api-docs/index.html', 'api-docs/start.js', 'node_modules/swagger-ui-dist/swagger-ui-bundle.js', 'node_modules/swagger-ui-dist/swagger-ui.css']

/** Swagger UI for `/docs`, as files of the build, so that it needs no other host; phones neither load nor keep it. */
function copyApiDocs() {
  return {
    name: 'api-docs',
    generateBundle(this: { emitFile(file: { type: 'asset'; fileName: string; source: Buffer }): void }) {
      for (const path of API_DOCS) {
        this.emitFile({ type: 'asset', fileName: `api-docs/${path.split('/').pop()}`, source: readFileSync(new URL(path, import.meta.url)) })
      }
    },
  }
}

/**
 * Chunks of the desk (`src/wide`) carry a name of their own: phones do not precache them. So do the texts of a
 * language: a phone keeps those of the languages it speaks (`src/sw.ts`).
 */
function nameChunk(kind: string) {
  return (chunk: { moduleIds?: string[]; names?: string[]; originalFileNames?: string[]; name?: string }): string => {
    const sources = [...(chunk.moduleIds ?? []), ...(chunk.originalFileNames ?? [])]
    // a walk sheet is fetched when it is wanted, one's devices are nothing without a network: phones do not keep them
    const isWide = sources.length > 0 && sources.some((id) => /src\/(wide|walksheets|devices)\//.test(id))
    const language = /\/texts[./](en|zh-CN)[./]/.exec(sources.at(-1) ?? '')?.[1]
    const isText = language !== undefined && sources.every((id) => id.includes('/texts'))
    return `assets/${isWide ? 'wide-' : isText ? `text-${language}-` : ''}[name]-[hash]${kind}`
  }
}

/**
 * Ids of components' styles, short: they stand in scripts and styles once for each file, and chance letters do not
 * compress. A path has the same id in every build, unless another's of the same first letters comes before it.
 */
function nameStyles() {
  const owners = new Map<string, string>()
  return (path: string, _source: string, _isProduction: boolean | undefined, hash: (text: string) => string): string => {
    const letters = BigInt(`0x${hash(path)}`).toString(36)
    for (let start = 0; ; start++) {
      const id = letters.slice(start, start + 4)
      if (!owners.has(id)) owners.set(id, path)
      if (owners.get(id) === path) return id
    }
  }
}

interface Graph {
  getModuleInfo(id: string): { importers: string[]; dynamicImporters: string[] } | null
}

/** Whether a phone has a use for a module: something outside the desk leads to it. */
function isForPhones(id: string, graph: Graph, seen = new Set<string>()): boolean {
  if (id.includes('src/wide/') || seen.has(id)) return false
  seen.add(id)
  const info = graph.getModuleInfo(id)
  const importers = [...(info?.importers ?? []), ...(info?.dynamicImporters ?? [])]
  return importers.length === 0 || importers.some((one) => isForPhones(one, graph, seen))
}

/**
 * What phones keep is made smaller once more: after the bundler's own minifier terser still finds a hundredth, which
 * is a kilobyte of the precache.
 */
function minifyAgain() {
  return {
    name: 'minify-again',
    generateBundle: {
      order: 'post' as const,
      async handler(_: unknown, bundle: Record<string, { type: string; fileName: string; code?: string }>) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type !== 'chunk' || chunk.fileName.startsWith('assets/wide-')) continue
          const { code } = await minify(chunk.code ?? '', { module: true, ecma: 2020, compress: { passes: 3, pure_getters: true } })
          if (code !== undefined) chunk.code = code
        }
      },
    },
  }
}

/**
 * Of what is called at every start all is compiled beside the page, by Chromium from 136 on, instead of function by
 * function in its way. Other browsers take it for the comment that it is; it must stand first.
 */
function compileAhead() {
  return {
    name: 'compile-ahead',
    generateBundle: {
      order: 'post' as const,
      handler(_: unknown, bundle: Record<string, { type: string; name?: string; code?: string }>) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type === 'chunk' && ['index', 'engine', 'kit', 'doorlist', 'Beside', 'Today'].includes(chunk.name ?? '')) chunk.code = `//# allFunctionsCalledOnLoad\n${chunk.code}`
        }
      },
    },
  }
}

/**
 * Few chunks rather than many: each is compressed alone, and each costs a request. What the first screen needs
 * is one, the engine another, what several pages share a third; pages and texts stay their own.
 */
const chunks = {
  includeDependenciesRecursively: false,
  groups: [
    { name: 'first', tags: ['$initial'], priority: 3 },
    { name: 'engine', test: /src\/(offline|api)\/|src\/app\/engine|node_modules\/idb\//, priority: 2 },
    { name: 'me', test: /src\/(me\/|screening\/(RecentRecords|DoorCard))/, priority: 1 },
    // kept by phones whose doors need them (`src/sw.ts`)
    { name: 'part-questions', test: /src\/questions\/(?!texts\.(zh|en))/, priority: 1 },
    { name: 'part-photos', test: /src\/(photos\/(?!texts\.(zh|en))|uploads\/|me\/RecordDetails)/, priority: 2 },
    // what forms share and Today has no use for, and the visit that is nothing but a form
    { name: 'forms', test: /src\/(ui\/(Sheet|DateField|TextArea|Select)\.vue|app\/(draft|DraftNote)|care\/)/, priority: 1 },
    // doors in lists; Today shows one to who searches
    { name: 'doorlist', test: /src\/(doors\/Doors?(List|Row)?\.vue|ui\/(WindowedList|windowing))/, priority: 1 },
    // what is rare at a door, and a password, which is rare anywhere
    { name: 'rare', test: /src\/(nothome\/(?!texts\.(zh|en))|screening\/MoreSheet|auth\/)/, priority: 1 },
    // words of what is rare: four small files compress worse than one
    { name: 'rare-zh', test: /src\/(nothome|questions|photos|people)\/texts\.zh-CN/, priority: 1 },
    { name: 'rare-en', test: /src\/(nothome|questions|photos|people)\/texts\.en/, priority: 1 },
    { name: 'wide-sheet', test: /src\/walksheets\/(?!entry|texts\.(zh|en))/, priority: 1 },
    { name: 'wide-walksheets', test: /src\/walksheets\/entry\/(?!texts\.(zh|en))/, priority: 1 },
    { name: 'wide-devices', test: /src\/devices\/(?!texts)/, priority: 1 },
    { name: 'people', test: /src\/people\/(?!texts\.(zh|en))/, priority: 1 },
    { name: (id: string, graph: Graph) => (isForPhones(id, graph) ? 'kit' : 'wide-kit'), minShareCount: 2 },
  ],
}

export default defineConfig({
  // components are written with the Composition API only
  define: { __VUE_OPTIONS_API__: 'false', __APP_VERSION__: JSON.stringify(version) },
  plugins: [
    vue({ features: { componentIdGenerator: nameStyles() } }),
    copyApiDocs(),
    minifyAgain(),
    compileAhead(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'sw.ts',
      injectRegister: false,
      manifest: {
        name: '先锋网格',
        short_name: '先锋网格',
        description: '网格排查与走访，断网也能用',
        lang: 'zh-CN',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        theme_color: '#c8102e',
        background_color: '#f4f4f5',
        icons: [
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any maskable' },
        ],
      },
      injectManifest: {
        globPatterns: ['index.html', 'assets/*.{js,css}', 'icon-192.png'],
        globIgnores: ['assets/wide-*'],
      },
    }),
  ],
  build: {
    target: ['es2022', 'chrome100', 'safari15.4'],
    // who asks for more has the first load already, and the engine or is fetching it
    modulePreload: { polyfill: false, resolveDependencies: (_, files) => files.filter((file) => !/assets\/(index|rolldown|engine)-/.test(file)) },
    reportCompressedSize: false,
    // scripts/budgets.mjs reads there what loads what
    manifest: true,
    rolldownOptions: { output: { codeSplitting: chunks, chunkFileNames: nameChunk('.js'), assetFileNames: nameChunk('[extname]') } },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8000' } },
  // a machine that many share may stand still for seconds
  test: { environment: 'node', include: ['src/**/*.test.ts', 'tests/**/*.test.ts'], testTimeout: 60_000 },
})
