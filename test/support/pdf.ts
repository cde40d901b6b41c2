/** Objects of a PDF beside its pages: the body of each, by number from 10 on. */
type Extra = Readonly<Record<number, string>>;

export interface PdfOptions {
  /** Entries of the trailer. */
  readonly trailer?: string;
  /** Entries of the pages' resources. */
  readonly resources?: string;
  readonly extra?: Extra;
}

/** A PDF whose pages show these lines in Helvetica; an empty page shows nothing. */
export function pdf(pages: readonly (readonly string[])[], options: PdfOptions = {}): Buffer {
  return pdfOf(
    pages.map((lines) => `BT /F1 12 Tf 14 TL 50 700 Td ${lines.map((line) => `(${line}) Tj T*`).join(' ')} ET`),
    options,
  );
}

/** A PDF of pages with these content streams. The fonts F1 (Helvetica) and F2 (Chinese, not embedded) are there. */
export function pdfOf(contents: readonly string[], { trailer = '', resources = '', extra = {} }: PdfOptions = {}): Buffer {
  const first = 1000;
  const objects: Record<number, string> = {
    1: '<< /Type /Catalog /Pages 2 0 R >>',
    2: `<< /Type /Pages /Count ${contents.length} /Kids [${contents.map((_, page) => `${first + 2 * page} 0 R`).join(' ')}] >>`,
    3: '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    4: '<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [5 0 R] >>',
    5: '<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor 6 0 R /DW 1000 >>',
    6: '<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 752 /Descent -271 /CapHeight 737 /StemV 58 >>',
    ...extra,
  };
  for (const [page, content] of contents.entries()) {
    const id = first + 2 * page;
    objects[id] =
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${id + 1} 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> ${resources} >> >>`;
    objects[id + 1] = `<< /Length ${content.length} >>\nstream\n${content}\nendstream`;
  }
  let file = '%PDF-1.7\n';
  const table: string[] = [];
  for (const [id, body] of Object.entries(objects)) {
    table.push(`${id} 1\n${String(file.length).padStart(10, '0')} 00000 n \n`);
    file += `${id} 0 obj\n${body}\nendobj\n`;
  }
  const size = first + 2 * contents.length;
  file += `xref\n0 1\n0000000000 65535 f \n${table.join('')}trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${file.length}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}
