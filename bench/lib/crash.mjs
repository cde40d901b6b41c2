// What the processes of bench/crash.mjs write and look for. HOTRAG_SDK: another build of the SDK than dist.
const { openRag } = await import(process.env.HOTRAG_SDK ?? new URL('../../dist/sdk/index.js', import.meta.url).href);

const LETTERS = 27;

/** Counts letters: this is about the store. */
const embedder = {
  id: 'letters',
  dimensions: LETTERS,
  maxBatch: 64,
  async embed(texts) {
    return texts.map((text) => {
      const vector = new Float32Array(LETTERS);
      for (let index = 0; index < text.length; index++) vector[text.charCodeAt(index) % LETTERS]++;
      return vector;
    });
  },
};

/** An engine that caches no search: every one asks the store. */
export function openCrashRag(path) {
  return openRag({ store: { type: 'memory', path }, embedder, caches: { search: false }, collection: 'crash' });
}

/** Write n: two documents that always change together, and one that is new. */
export function writeOf(n) {
  const text = Array.from(
    { length: 3 + (n % 20) },
    (_, index) => `# Part ${index}\n\nversion ${n} ${'of a text '.repeat(60)}`,
  ).join('\n\n');
  return [
    { id: 'left', text: `left ${text}`, metadata: { version: n } },
    { id: 'right', text: `right ${text}`, metadata: { version: n } },
    { id: `only-${n}`, text: `the only words of write${n}`, metadata: { version: n } },
  ];
}

/** The newest write that a search finds. @throws when it finds half a write */
export async function newestIn(rag) {
  const { hits } = await rag.search('version of a text', { topK: 100, filter: { $documentId: { $in: ['left', 'right'] } } });
  const versions = new Set(hits.map((hit) => hit.metadata.version));
  if (versions.size > 1) throw new Error(`one search found versions ${[...versions].join(', ')}`);
  return [...versions][0] ?? -1;
}

/** The writes whose documents are all there. @throws when two that belong together differ, or one can't be found */
export async function writesIn(rag) {
  const found = new Map();
  for (let cursor; ; ) {
    const page = await rag.documents.list({ limit: 1000, cursor });
    for (const { id, metadata } of page.documents) found.set(id, metadata.version);
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  if (found.get('left') !== found.get('right')) throw new Error(`left has ${found.get('left')}, right ${found.get('right')}`);
  const newest = found.get('left') ?? -1;
  if (newest >= 0) {
    if ((await newestIn(rag)) !== newest) throw new Error(`write ${newest} is in and not found`);
    const { hits } = await rag.search(`write${newest}`, { mode: 'keyword', topK: 1 });
    if (hits[0]?.documentId !== `only-${newest}`) throw new Error(`write ${newest} is in and not found by its words`);
  }
  return { newest, has: (n) => found.has(`only-${n}`) };
}
