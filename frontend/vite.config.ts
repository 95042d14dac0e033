import vue from '@vitejs/plugin-vue'
import { VitePWA } from 'vite-plugin-pwa'
import { defineConfig } from 'vitest/config'

/** Chunks of the desk (`src/wide`) carry a name of their own: phones do not precache them. */
function nameChunk(kind: string) {
  return (chunk: { moduleIds?: string[]; names?: string[]; originalFileNames?: string[]; name?: string }): string => {
    const sources = [...(chunk.moduleIds ?? []), ...(chunk.originalFileNames ?? [])]
    const isWide = sources.length > 0 && sources.some((id) => id.includes('src/wide/'))
    return `assets/${isWide ? 'wide-' : ''}[name]-[hash]${kind}`
  }
}

export default defineConfig({
  // components are written with the Composition API only
  define: { __VUE_OPTIONS_API__: 'false' },
  plugins: [
    vue(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'sw.ts',
      injectRegister: false,
      manifest: {
        name: '先锋网格',
        short_name: '先锋网格',
        description: '网格排查与走访,断网也能用',
        lang: 'zh-CN',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        theme_color: '#c8102e',
        background_color: '#f4f4f5',
        icons: [
          { src: '/icon.svg', sizes: 'any', type: 'image/svg+xml' },
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any maskable' },
        ],
      },
      injectManifest: {
        globPatterns: ['index.html', 'assets/*.{js,css}', 'icon.svg', 'icon-192.png'],
        globIgnores: ['assets/wide-*'],
      },
    }),
  ],
  build: {
    target: ['es2022', 'chrome100', 'safari15.4'],
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { output: { chunkFileNames: nameChunk('.js'), assetFileNames: nameChunk('[extname]') } },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8000' } },
  test: { environment: 'node', include: ['src/**/*.test.ts', 'tests/**/*.test.ts'] },
})
