"""What holds for every page: axe-core finds nothing, nothing scrolls sideways, and Tab visits all of it in order."""

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
# WCAG 2.0, 2.1 and 2.2, levels A and AA. Best practices are opinions; `preload` would load style sheets once more.
AXE_OPTIONS: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "rules": {"target-size": {"enabled": True}},  # of 2.2; off in axe by default
    "resultTypes": ["violations"],
    "preload": False,
}
TABS_MAX = 300

_TOO_WIDE = """() => {
  const wide = document.scrollingElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= wide) return [];
  const sticksOut = (one) => one.getBoundingClientRect().right > wide + 0.5;
  const parts = [...document.body.querySelectorAll("*")].filter(sticksOut);
  const told = (one) => `<${one.localName} id="${one.id}" class="${one.getAttribute("class") ?? ""}"> ends at `
    + `${Math.round(one.getBoundingClientRect().right)} of ${wide} px`;
  return parts.length ? parts.slice(0, 5).map(told) : [`${document.scrollingElement.scrollWidth} of ${wide} px`];
}"""
_FOCUSED = """(seen) => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement || seen.has(at)) return null;
  seen.add(at);
  const ids = (at.getAttribute("aria-labelledby") ?? "").split(" ");
  const named = ids.map((id) => document.getElementById(id)?.innerText);
  const label = at.getAttribute("aria-label") || named.filter(Boolean).join(" ") || at.labels?.[0]?.innerText;
  const text = (label || at.innerText || at.name || at.id || "").trim().replace(/\\s+/g, " ");
  return `${at.getAttribute("role") ?? at.localName} ${text}`.slice(0, 80).trim();
}"""


def axe(page: Page) -> None:
    """No violation of WCAG 2.2 AA that axe-core can see. Evaluated by the debugger, which no page's policy stops."""
    page.evaluate(AXE)
    found = page.evaluate("(options) => axe.run(document, options)", AXE_OPTIONS)
    assert found["testEngine"]["name"] == "axe-core"
    told = [
        f"{one['id']} ({one['impact']}): {one['help']}\n    {node['target']}: {node['html'][:200]}\n"
        + "".join(f"      {line}\n" for line in node["failureSummary"].splitlines())
        for one in found["violations"]
        for node in one["nodes"]
    ]
    assert not told, f"axe-core finds on {page.url}:\n" + "".join(told)


def fits(page: Page) -> None:
    """Nothing scrolls sideways (WCAG 1.4.10: at 320 px)."""
    too_wide = page.evaluate(_TOO_WIDE)
    assert not too_wide, f"{page.url} scrolls sideways: " + "; ".join(too_wide)


def keyboard_order(page: Page) -> list[str]:
    """What Tab visits from where the focus is until it leaves the page or comes round: role and name of each."""
    seen = page.evaluate_handle("() => new Set()")
    visited: list[str] = []
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        name = page.evaluate(_FOCUSED, seen)
        if name is None:
            return visited
        visited.append(name)
    raise AssertionError(f"{TABS_MAX} times Tab and no end: {visited[-5:]}")
