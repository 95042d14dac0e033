"""What every screen owes its users: clean by axe, no sideways scroll, targets a thumb can hit."""

from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
THUMB = 44
"""px: the least height and width of what is tapped."""

TEXT_SIZES = ("100", "150")
_OF_SIZE = ["target-size", "scrollable-region-focusable"]
"""axe's rules that larger text can break; markup and colours are the same at every text size."""

_VIOLATIONS = """async (only) => {
  // colours have settled when two frames are drawn
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))
  const options = { resultTypes: ['violations'], ...(only && { runOnly: only }) }
  const { violations } = await axe.run(document, options)
  return violations.map(({ id, impact, nodes }) => ({
    id, impact, nodes: nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.failureSummary}`),
  }))
}"""

_SMALL = """(least) => {
  const dialog = document.querySelector('dialog[open]')
  const controls = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]'
  const small = []
  for (const element of (dialog ?? document).querySelectorAll(controls)) {
    const target = element.closest('label') ?? element
    if (!target.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue
    const { width, height } = target.getBoundingClientRect()
    // what only readers hear of is a pixel large
    if (width <= 1 || height <= 1) continue
    // a word in a sentence is as high as the sentence (WCAG 2.5.8)
    if (element.tagName === 'A' && getComputedStyle(element).display === 'inline') continue
    if (width >= least - 0.5 && height >= least - 0.5) continue
    const words = target.innerText?.slice(0, 20)
    small.push(`${target.tagName}.${target.className} "${words}" ${width.toFixed(0)}×${height.toFixed(0)}`)
  }
  return small
}"""

_WIDE = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return []
  const edge = (one) => one.getBoundingClientRect().right
  const wide = [...document.querySelectorAll('body *')].filter((one) => edge(one) > innerWidth + 0.5)
  return wide.slice(-3).map((one) => `${one.tagName}.${one.className} to ${edge(one).toFixed(0)}`)
}"""


def find_violations(page: Page, only: list[str] | None = None) -> list[dict[str, Any]]:
    """What axe finds wrong with the page as it is, by all of its rules or by some."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate(_VIOLATIONS, only)
    return found


def find_small_targets(page: Page) -> list[str]:
    """Controls on screen that are smaller than a thumb."""
    found: list[str] = page.evaluate(_SMALL, THUMB)
    return found


def find_overflow(page: Page) -> list[str]:
    """What makes the page scroll sideways."""
    found: list[str] = page.evaluate(_WIDE)
    return found


def look_over(
    page: Page, name: str, *, scheme: Literal["light", "dark"], widths: tuple[int, ...], thumb: bool
) -> list[str]:
    """Everything that is wrong with a screen in a colour scheme: at each text size, at each width."""
    wrong: list[str] = []
    size = page.viewport_size
    assert size is not None
    page.emulate_media(color_scheme=scheme)
    for text_size in TEXT_SIZES:
        page.evaluate("size => { document.documentElement.dataset.textSize = size }", text_size)
        # the width it is shown at comes last
        for width in sorted(widths, key=lambda one: one == size["width"]):
            page.set_viewport_size({"width": width, "height": size["height"]})
            where = f"{name} {text_size} % at {width} px"
            wrong += [f"{where} scrolls sideways: {one}" for one in find_overflow(page)]
            if thumb:
                wrong += [f"{where} is hard to hit: {one}" for one in find_small_targets(page)]
        only = None if text_size == TEXT_SIZES[0] else _OF_SIZE
        wrong += [f"{name} {text_size} % {scheme}: {one}" for one in find_violations(page, only)]
    return wrong
