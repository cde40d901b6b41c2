/** A line of a plot: its points by ascending x. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

/** Pixels. */
const WIDTH = 420;
const HEIGHT = 280;
const MARGIN = { left: 62, right: 16, top: 34, bottom: 44 };
const COLOURS = ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700'];

/** Plots side by side as one SVG without scripts or fonts of its own; x in even steps, y from 0. */
export function renderPlots(plots: readonly Plot[]): string {
  const body = plots.map((plot, index) => `<g transform="translate(${index * WIDTH},0)">${renderPlot(plot)}</g>`).join('\n');
  const size = `width="${plots.length * WIDTH}" height="${HEIGHT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">
<title>${escapeXml(plots.map(({ title }) => title).join('; '))}</title>
<rect ${size} fill="#fff"/>
${body}
</svg>
`;
}

function renderPlot({ title, x, y, series }: Plot): string {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((left, right) => left - right);
  const top = niceCeiling(Math.max(0, ...series.flatMap(({ points }) => points.map(([, value]) => value))));
  const left = (at: number) => MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * xs.indexOf(at)) / Math.max(1, xs.length - 1);
  const down = (value: number) => HEIGHT - MARGIN.bottom - ((HEIGHT - MARGIN.top - MARGIN.bottom) * value) / top;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = down(part * top).toFixed(1);
    const label = `<text x="${MARGIN.left - 6}" y="${at}" dy="4" text-anchor="end">${Number((part * top).toPrecision(3))}</text>`;
    return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}" stroke="#ddd"/>${label}`;
  });
  const ticks = xs.map(
    (at) => `<text x="${left(at).toFixed(1)}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle">${at}</text>`,
  );
  const lines = series.map(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const path = points.map(([at, value]) => `${left(at).toFixed(1)},${down(value).toFixed(1)}`);
    const dots = path.map((point) => {
      const [cx, cy] = point.split(',');
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
    });
    const legend = `<text x="${MARGIN.left + 8}" y="${MARGIN.top + 8 + 14 * index}" fill="${colour}">${escapeXml(name)}</text>`;
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}${legend}`;
  });
  return [
    `<text x="${MARGIN.left}" y="20" font-size="13" font-weight="bold">${escapeXml(title)}</text>`,
    ...grid,
    ...ticks,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeXml(x)}</text>`,
    `<text transform="translate(14,${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escapeXml(y)}</text>`,
    ...lines,
  ].join('\n');
}

/** The next 1, 2, 2.5, 5 or 10 times a power of ten. */
function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
