import { describe, expect, it } from 'vitest';
import { renderPlots } from '../../src/cli/plot.js';

describe('plots', () => {
  it('are one SVG with a line for each series and a point for each value', () => {
    const svg = renderPlots([
      { title: 'a < b', x: 'n', y: 'ms', series: [{ name: 'one', points: [[1, 10], [4, 20]] }, { name: 'two', points: [[1, 5]] }] }, // biome-ignore format: one line
    ]);
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(svg.match(/<circle/g)).toHaveLength(3);
    expect(svg).toContain('a &lt; b');
    expect(svg).not.toContain('NaN');
  });

  it('stand without any value', () => {
    expect(renderPlots([{ title: 't', x: 'n', y: 'ms', series: [{ name: 'none', points: [] }] }])).not.toContain('NaN');
  });
});
