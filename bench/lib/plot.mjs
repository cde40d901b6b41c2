const PANEL = { width: 400, height: 260, left: 52, right: 104, top: 34, bottom: 34 };
const COLUMNS = 2;
/** Told apart by people who don't see red from green, and on white as on black paper. */
const COLORS = ['#0b62a4', '#c4540a', '#5b7f1a', '#8a3f8f'];
const INK = '#333';
const LEAST_DECADES = 1;
const LABEL_HEIGHT = 13;

/**
 * Charts side by side as one SVG that needs nothing else; both axes are logarithmic.
 * @param panels `{ title, lines: [{ name, points: [[x, y], …] }] }`; all numbers above 0
 */
export function plot(panels) {
  const width = COLUMNS * PANEL.width;
  const height = Math.ceil(panels.length / COLUMNS) * PANEL.height;
  const parts = panels.map((panel, index) => {
    const x = (index % COLUMNS) * PANEL.width;
    const y = Math.floor(index / COLUMNS) * PANEL.height;
    return `<g transform="translate(${x} ${y})">\n${panelOf(panel)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="11" fill="${INK}">
<title>Query, ingest, hot start and memory by number of chunks</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}

function panelOf({ title, lines }) {
  const points = lines.flatMap((line) => line.points);
  const across = scaleOf(
    points.map(([x]) => x),
    PANEL.left,
    PANEL.width - PANEL.right,
  );
  const up = scaleOf(
    points.map(([, y]) => y),
    PANEL.height - PANEL.bottom,
    PANEL.top,
  );
  const right = PANEL.width - PANEL.right;
  const floor = PANEL.height - PANEL.bottom;
  const labels = spread(lines.map((line) => up.place(line.points.at(-1)[1])));
  return [
    `<text x="${PANEL.left}" y="20" font-size="13" font-weight="600">${escapeXml(title)}</text>`,
    ...up.ticks.map((value) => {
      const y = round(up.place(value));
      return `<path d="M${PANEL.left} ${y}H${right}" stroke="#e2e2e2"/><text x="${PANEL.left - 6}" y="${y + 4}" text-anchor="end">${short(value)}</text>`;
    }),
    ...across.ticks.map((value) => {
      const x = round(across.place(value));
      return `<path d="M${x} ${PANEL.top}V${floor}" stroke="#e2e2e2"/><text x="${x}" y="${floor + 16}" text-anchor="middle">${short(value)}</text>`;
    }),
    `<path d="M${PANEL.left} ${floor}H${right}" stroke="#888"/>`,
    `<text x="${right}" y="${floor + 29}" text-anchor="end">chunks</text>`,
    ...lines.map((line, index) => {
      const color = COLORS[index % COLORS.length];
      const places = line.points.map(([x, y]) => [round(across.place(x)), round(up.place(y))]);
      return [
        `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
        ...places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${color}"/>`),
        `<text x="${right + 8}" y="${round(labels[index]) + 4}" fill="${color}">${escapeXml(line.name)}</text>`,
      ].join('');
    }),
  ].join('\n');
}

/** Logarithmic, from the 1, 2 or 5 below the least to that above the largest, and over a decade at least, so that what is flat looks flat. */
function scaleOf(values, start, end) {
  const steps = stepsAround(Math.min(...values), Math.max(...values));
  const low = Math.log10(steps[0]);
  const high = Math.log10(steps.at(-1));
  return {
    place: (value) => start + ((Math.log10(value) - low) / (high - low)) * (end - start),
    ticks: steps.length > 7 ? steps.filter((step) => Number.isInteger(round(Math.log10(step)))) : steps,
  };
}

function stepsAround(least, most) {
  const all = [];
  for (let exponent = -6; exponent <= 9; exponent++) for (const digit of [1, 2, 5]) all.push(Number(`${digit}e${exponent}`));
  let from = all.findLastIndex((step) => step <= least);
  let to = all.findIndex((step) => step >= most);
  for (let wider = 0; to - from < 3 * LEAST_DECADES; wider++) {
    if (wider % 2 === 0) to++;
    else from--;
  }
  return all.slice(from, to + 1);
}

/** Heights of labels that don't overlap, in the order given. */
function spread(heights) {
  const placed = [...heights];
  const order = heights.map((_, index) => index).sort((left, right) => heights[left] - heights[right]);
  for (const [at, index] of order.entries()) {
    if (at > 0) placed[index] = Math.max(placed[index], placed[order[at - 1]] + LABEL_HEIGHT);
  }
  return placed;
}

function short(value) {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : String(value);
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
