import type { Router } from 'vue-router'

/** For the click on a plain link in a long list, where a RouterLink for each row is felt: go there within the app. */
export function follow(event: MouseEvent, router: Router): void {
  const href = (event.currentTarget as HTMLAnchorElement).getAttribute('href')
  if (!href || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  void router.push(href)
}
