/** What may import what (docs/architecture.md): the phone's engine knows no screen, the kit knows no domain. */
const domains = 'doors|people|screening|care|posts|me|wide'

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'ui-knows-no-domain', severity: 'error', from: { path: '^src/ui/' }, to: { pathNot: '^(src/ui/|node_modules/)' } },
    {
      name: 'engine-stands-alone',
      severity: 'error',
      from: { path: '^src/offline/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^(src/offline/|src/api/|node_modules/)' },
    },
    {
      name: 'engine-knows-no-framework',
      severity: 'error',
      from: { path: '^src/offline/' },
      to: { path: '^node_modules/(vue|vue-router)/' },
    },
    {
      name: 'api-client-has-few-users',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(offline|auth|app|api)/' },
      to: { path: '^src/api/(?!types)' },
    },
    {
      name: 'domains-meet-at-queries',
      severity: 'error',
      comment: 'A domain folder uses another one by its queries.ts only (types and plain rules beside it included).',
      from: { path: `^src/(${domains})/` },
      to: { path: `^src/(${domains})/.*\\.vue$`, pathNot: '^src/$1/' },
    },
    {
      name: 'the-desk-calls-in-one-place',
      severity: 'error',
      comment: 'Pages of the desk talk to the server through src/wide/calls.ts and know nothing of the phone\'s database.',
      from: { path: '^src/wide/', pathNot: '^src/wide/calls\\.ts$' },
      to: { path: '^src/(offline/|app/engine\\.ts$)' },
    },
    {
      name: 'parts-of-the-desk-stand-apart',
      severity: 'error',
      comment: 'Like the rooms of the phone: a part uses the frame of the desk (src/wide/*), not another part\'s pages.',
      from: { path: '^src/wide/([^/]+)/' },
      to: { path: '^src/wide/[^/]+/.*\\.vue$', pathNot: '^src/wide/$1/' },
    },
    {
      name: 'phones-do-not-carry-the-desk',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/wide/' },
      to: { path: '^src/wide/' },
    },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '(\\.test\\.ts$|^node_modules/(vitest|fake-indexeddb)/)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.vue', '.js', '.mjs'] },
  },
}
