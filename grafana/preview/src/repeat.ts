/** Panels that are repeated for each value of a variable. */
import type { Panel } from './dashboard';
import type { Values } from './interpolate';

export interface Copy {
  panel: Panel;
  /** The one value that this copy is for. */
  own: Values;
}

/** Copies stand beside each other over the whole width, four in a line; what is below moves down. Rows are not repeated. */
export function repeated(panels: Panel[], values: Values): Copy[] {
  let moved = 0;
  return panels.flatMap(panel => {
    const { x, y, w, h } = panel.gridPos;
    if (!panel.repeat) {
      return [{ panel: { ...panel, gridPos: { x, y: y + moved, w, h } }, own: new Map() }];
    }
    const name = panel.repeat;
    if (panel.type === 'row') {
      throw new Error(`row ${panel.title}: repeated rows cannot be drawn here`);
    }
    const list = [values.get(name)?.value ?? []].flat();
    const columns = Math.min(list.length, 4);
    const width = Math.floor(24 / columns);
    const top = y + moved;
    moved += h * (Math.ceil(list.length / columns) - 1);
    return list.map((value, i) => ({
      panel: {
        ...panel,
        id: panel.id * 1000 + i,
        gridPos: { x: (i % columns) * width, y: top + Math.floor(i / columns) * h, w: width, h },
      },
      own: new Map([[name, { text: value, value, many: true }]]),
    }));
  });
}
