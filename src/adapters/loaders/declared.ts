/** An HTML page names its charset within the first kilobyte by the standard; pages in the wild do so a little later. */
const HEAD_BYTES = 4096;

const META = /<meta[^>]{0,512}?charset\s{0,16}=\s{0,16}["']?([\w:.+-]+)/i;
const XML = /^\s{0,64}<\?xml[^>]{0,256}?encoding\s{0,16}=\s{0,16}["']([\w:.+-]+)/i;

/** The encoding that an HTML page (`<meta charset>`) or XML document names; undefined where none is named. */
export function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
  return (XML.exec(head) ?? META.exec(head))?.[1];
}
