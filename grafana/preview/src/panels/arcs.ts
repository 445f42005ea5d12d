/** Pieces of rings, as SVG paths; angles in turns, clockwise from the top. */

export interface Arc {
  from: number;
  to: number;
  inner: number;
  outer: number;
}

export function arcPath({ from, to, inner, outer }: Arc): string {
  const until = Math.min(to, from + 0.99999);
  const large = until - from > 0.5 ? 1 : 0;
  const [a, b, c, d] = [point(from, outer), point(until, outer), point(until, inner), point(from, inner)];
  return `M${a}A${outer} ${outer} 0 ${large} 1 ${b}L${c}A${inner} ${inner} 0 ${large} 0 ${d}Z`;
}

export function point(turn: number, radius: number): string {
  const angle = (turn - 0.25) * 2 * Math.PI;
  return `${(Math.cos(angle) * radius).toFixed(3)},${(Math.sin(angle) * radius).toFixed(3)}`;
}
