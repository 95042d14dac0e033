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
  // without `preload`, which fetches style sheets and videos for rules that have nothing to look at here
  const options = { resultTypes: ['violations'], preload: false, ...(only && { runOnly: only }) }
  const { violations } = await axe.run(document, options)
  return violations.map(({ id, impact, nodes }) => ({
    id, impact, nodes: nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.failureSummary}`),
  }))
}"""

_MISFITS = """({ size, least }) => {
  document.documentElement.dataset.textSize = size
  const misfits = { wide: [], small: [] }
  if (document.documentElement.scrollWidth > innerWidth) {
    const edge = (one) => one.getBoundingClientRect().right
    const wide = [...document.querySelectorAll('body *')].filter((one) => edge(one) > innerWidth + 0.5)
    misfits.wide = wide.slice(-3).map((one) => `${one.tagName}.${one.className} to ${edge(one).toFixed(0)}`)
  }
  if (!least) return misfits
  const dialog = document.querySelector('dialog[open]')
  const controls = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]'
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
    misfits.small.push(`${target.tagName}.${target.className} "${words}" ${width.toFixed(0)}×${height.toFixed(0)}`)
  }
  return misfits
}"""


def find_violations(page: Page, only: list[str] | None = None) -> list[dict[str, Any]]:
    """What axe finds wrong with the page as it is, by all of its rules or by some."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate(_VIOLATIONS, only)
    return found


def find_misfits(page: Page, text_size: str, *, thumb: bool) -> tuple[list[str], list[str]]:
    """At a text size and the window's width: what makes the page scroll sideways, and controls smaller than a thumb."""
    found: dict[str, list[str]] = page.evaluate(_MISFITS, {"size": text_size, "least": THUMB if thumb else 0})
    return found["wide"], found["small"]


def look_over(
    page: Page, name: str, *, scheme: Literal["light", "dark"], widths: tuple[int, ...], thumb: bool
) -> list[str]:
    """Everything that is wrong with a screen in a colour scheme: at each text size, at each width."""
    wrong: list[str] = []
    size = page.viewport_size
    assert size is not None
    page.emulate_media(color_scheme=scheme)

    def fit(text_size: str, width: int) -> None:
        wide, small = find_misfits(page, text_size, thumb=thumb)
        where = f"{name} {text_size} % at {width} px"
        wrong.extend(f"{where} scrolls sideways: {one}" for one in wide)
        wrong.extend(f"{where} is hard to hit: {one}" for one in small)

    def check(text_size: str) -> None:
        only = None if text_size == TEXT_SIZES[0] else _OF_SIZE
        wrong.extend(f"{name} {text_size} % {scheme}: {one}" for one in find_violations(page, only))

    # there and back again: a window made wider or narrower is laid out anew, and the width it is shown at is axe's
    shown, others = size["width"], [width for width in widths if width != size["width"]]
    normal, large = TEXT_SIZES
    fit(normal, shown)
    check(normal)
    for width in others:
        page.set_viewport_size({"width": width, "height": size["height"]})
        fit(normal, width)
        fit(large, width)
    page.set_viewport_size({"width": shown, "height": size["height"]})
    fit(large, shown)
    check(large)
    # as who goes on from here has it
    page.evaluate("size => { document.documentElement.dataset.textSize = size }", normal)
    return wrong
