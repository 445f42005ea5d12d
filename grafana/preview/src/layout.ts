/** Grafana's grid: 24 columns, rows of 30 pixels, 8 between them. */
import type { Panel } from './dashboard';

export const PAGE = 1600;
export const MARGIN = 16;
const GAP = 8;
const ROW = 30;
const COLUMN = (PAGE - 2 * MARGIN + GAP) / 24;

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export function boxOf({ gridPos: { x, y, w, h } }: Panel): Box {
  const left = Math.round(x * COLUMN);
  return {
    left,
    top: y * (ROW + GAP),
    width: Math.round((x + w) * COLUMN) - GAP - left,
    height: h * (ROW + GAP) - GAP,
  };
}

/** What a panel this many columns wide has for its picture: without border and padding. */
export function innerWidth(columns: number): number {
  return Math.round(columns * COLUMN) - GAP - 18;
}

export function heightOf(panels: Panel[]): number {
  return Math.max(0, ...panels.map(panel => boxOf(panel).top + boxOf(panel).height));
}
