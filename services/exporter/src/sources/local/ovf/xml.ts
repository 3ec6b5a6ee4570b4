import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { invalid } from '../failures.js';

/** An element: its children by local name, its attributes by `@` and local name. */
export type Element = Readonly<Record<string, unknown>>;

export const MAX_OVF_BYTES = 4 * 1024 * 1024;

const PARSER = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  // Numbers are read where they are used: a name may be one too.
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/** The root of a document. Entities of its own are refused before anything is read. @throws JobError SOURCE_INVALID */
export function parseXml(name: string, bytes: Buffer): Element {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw invalid(name, 'has a document type, which no OVF descriptor has');
  try {
    const valid = XMLValidator.validate(text);
    if (valid !== true) throw invalid(name, `is no XML: line ${valid.err.line}: ${valid.err.msg}`);
    return PARSER.parse(text) as Element;
  } catch (error) {
    if (error instanceof Error && error.name === 'JobError') throw error;
    throw invalid(name, `is no XML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** All children of one name. An element without attributes and children is its text. */
export function children(element: Element | undefined, name: string): Element[] {
  const value = element?.[name];
  const all: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return all.map((one) => (typeof one === 'object' && one !== null ? (one as Element) : { '#text': one }));
}

export const child = (element: Element | undefined, name: string): Element | undefined => children(element, name)[0];

/** Of the element itself, or of its first child of that name. */
export function text(element: Element | undefined, name?: string): string | undefined {
  const value = (name === undefined ? element : child(element, name))?.['#text'];
  const found = typeof value === 'string' ? value.trim() : '';
  return found === '' ? undefined : found;
}

export function attribute(element: Element | undefined, name: string): string | undefined {
  const value = element?.[`@${name}`];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
