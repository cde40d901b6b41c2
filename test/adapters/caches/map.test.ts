import { cacheContract } from '../../contracts/cache-contract.js';
import { createMapCache } from './map-cache.js';

cacheContract(
  'the map that stands for a server in tests',
  async () => {
    let now = 0;
    const pass = (ms: number) => {
      now += ms;
    };
    return { cache: createMapCache({ now: () => now }), pass };
  },
  { leastTtlMs: 10 },
);
