/** What became of each panel: read by the program that takes the picture. */
import type { Clipped } from './clipped';

export interface PanelReport {
  id: number;
  title: string;
  type: string;
  counts: Record<string, number>;
  substitute: boolean;
  error?: string;
  clipped: Clipped;
}

export interface Report {
  done: boolean;
  /** The dashboard as a whole could not be drawn. */
  error?: string;
  annotations: number;
  panels: PanelReport[];
}

declare global {
  interface Window {
    report: Report;
  }
}

export function startReport(): void {
  window.report = { done: false, annotations: 0, panels: [] };
}

/** Called by a panel that cannot be drawn after all. */
export function failed(id: number, error: string): void {
  const panel = window.report.panels.find(each => each.id === id);
  if (panel) {
    panel.error ??= error;
  }
}
