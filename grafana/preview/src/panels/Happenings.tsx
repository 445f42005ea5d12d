/** Annotations over a chart: dashed lines, a tint between them, and a mark below. */
import { colorManipulator } from '@grafana/data';
import { useTheme2, type UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect } from 'react';
import type uPlot from 'uplot';
import type { Happening } from '../annotations';

interface Props {
  builder: UPlotConfigBuilder;
  list: Happening[];
}

export function Happenings({ builder, list }: Props) {
  const theme = useTheme2();
  // A child's effects come before its parent's, which then makes the chart from the builder.
  useLayoutEffect(() => {
    builder.setPadding([pad, pad, pad, pad]);
    builder.addHook('draw', chart => {
      for (const { from, to, color } of list) {
        draw(chart, from, to, theme.visualization.getColorByName(color));
      }
    });
  }, [builder, list, theme]);
  return null;
}

/** As Grafana has it, but for the right edge, where it cuts the last time in half. */
const pad: uPlot.PaddingSide = (_, side, sides) => (sides[side] ? 0 : side === 1 ? 20 : 8);

function draw(chart: uPlot, from: number, to: number, color: string): void {
  const { ctx, bbox } = chart;
  const [left, right] = [from, to].map(time => Math.round(chart.valToPos(time, 'x', true))) as [number, number];
  const end = bbox.left + bbox.width;
  if (right < bbox.left || left > end) {
    return;
  }
  const [start, stop] = [Math.max(left, bbox.left), Math.min(right, end)];
  const bottom = bbox.top + bbox.height;
  ctx.save();
  ctx.fillStyle = colorManipulator.alpha(color, 0.1);
  ctx.fillRect(start, bbox.top, stop - start, bbox.height);
  ctx.strokeStyle = color;
  ctx.lineWidth = 2;
  ctx.setLineDash([5, 5]);
  for (const x of new Set([left, right].filter(each => each >= bbox.left && each <= end))) {
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bottom);
    ctx.stroke();
  }
  ctx.fillStyle = color;
  if (right > left) {
    ctx.fillRect(start, bottom, Math.max(2, stop - start), 5);
  } else {
    ctx.beginPath();
    ctx.moveTo(left - 5, bottom + 6);
    ctx.lineTo(left + 5, bottom + 6);
    ctx.lineTo(left, bottom);
    ctx.fill();
  }
  ctx.restore();
}
