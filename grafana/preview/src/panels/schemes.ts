/** The colours of heatmaps: Grafana's schemes are those of d3-scale-chromatic. */
import * as chromatic from 'd3-scale-chromatic';

type Scheme = (share: number) => string;

/** On a dark background these run from dark to bright, which is the other way round. */
const INVERTED =
  /^(Blues|Greens|Greys|Oranges|Purples|Reds|[A-Z][a-z][A-Z][a-z]|[A-Z][a-z][A-Z][a-z][A-Z][a-z]|Spectral)$/;

export function scheme(name: string, reverse: boolean): Scheme {
  const known = (chromatic as unknown as Record<string, Scheme | undefined>)[`interpolate${name}`];
  if (!known) {
    throw new Error(`colour scheme ${name} is not known`);
  }
  return INVERTED.test(name) === reverse ? known : share => known(1 - share);
}
