/** Finds text that does not fit: cut off at an edge, or out of sight in what would have to be scrolled. */

export interface Clipped {
  cut: string[];
  /** Lines. */
  hidden: number;
}

export function clippedTexts(panel: Element): Clipped {
  const cut = new Set<string>();
  const hidden = new Set<number>();
  const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent?.trim();
    const parent = node.parentElement;
    const shown = parent?.checkVisibility({ visibilityProperty: true }) && !parent.closest('title, .sr-only');
    const place = text && parent && shown ? placeOf(node, parent, panel) : 'seen';
    if (place === 'cut') {
      cut.add(String(text));
    } else if (place === 'hidden') {
      hidden.add(Math.round(boxOf(node).top));
    }
  }
  return { cut: [...cut], hidden: hidden.size };
}

type Place = 'seen' | 'cut' | 'hidden';

function placeOf(node: Node, parent: Element, panel: Element): Place {
  const text = boxOf(node);
  const tall = text.height / 5; // a line is taller than its letters
  for (let around: Element | null = parent; around && around !== panel; around = around.parentElement) {
    const box = around.getBoundingClientRect();
    const { overflowX, overflowY } = getComputedStyle(around);
    if (overflowY !== 'visible' && (text.bottom > box.bottom + tall || text.top < box.top - tall)) {
      return overflowY === 'hidden' ? 'cut' : 'hidden';
    }
    if (overflowX !== 'visible' && (text.right > box.right + 1 || text.left < box.left - 1)) {
      return 'cut';
    }
  }
  return 'seen';
}

function boxOf(node: Node): DOMRect {
  const range = document.createRange();
  range.selectNodeContents(node);
  return range.getBoundingClientRect();
}
