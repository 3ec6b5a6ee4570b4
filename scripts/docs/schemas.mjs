// JSON schemas as tables.
import { cell, code, table } from './markdown.mjs';

/** Deeper than this a key is only called an object: the OpenAPI document has the rest. */
const DEPTH = 4;

/** The keys of an object, those of objects inside it with their path. */
export function properties(schema) {
  const rows = rowsOf(schema, '', 0);
  return rows.length === 0 ? `${typeOf(schema)}.` : table(['key', 'value', ''], rows);
}

function rowsOf(schema, prefix, depth) {
  if (depth > DEPTH) return [];
  const variants = (schema.oneOf ?? schema.anyOf ?? []).filter(({ type }) => type === 'object');
  const merged = merge(schema, variants);
  return Object.entries(merged).flatMap(([key, { value, isRequired }]) => {
    const name = `${prefix}${key}`;
    const inner = value.type === 'array' ? value.items : value;
    const below = rowsOf(bare(inner ?? {}), `${name}${value.type === 'array' ? '[]' : ''}.`, depth + 1);
    return [
      [code(name), typeOf(value), [isRequired ? 'required' : '', told(value)].filter((text) => text !== '').join('; ')],
      ...below,
    ];
  });
}

/** An object, or null: what is said of the object. */
const bare = (schema) => {
  const forms = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  return forms.length === 1 ? forms[0] : schema;
};

/** Keys of all forms that an object may have; required are those that every one of them requires. */
function merge(schema, variants) {
  const forms = [schema, ...variants].filter(({ properties: keys }) => keys !== undefined);
  const merged = {};
  for (const { properties: keys, required = [] } of forms) {
    for (const [key, value] of Object.entries(keys)) {
      const before = merged[key];
      const isRequired = required.includes(key) && forms.every((form) => (form.required ?? []).includes(key));
      merged[key] = before === undefined ? { value, isRequired } : { value: either(before.value, value), isRequired };
    }
  }
  return merged;
}

const either = (one, other) =>
  JSON.stringify(one) === JSON.stringify(other) ? one : { anyOf: [...(one.anyOf ?? [one]), other] };

function typeOf(schema) {
  const { type, enum: values, const: only, anyOf, oneOf, items, $ref: reference } = schema;
  if (reference !== undefined) {
    const name = reference.replace('#/components/schemas/', '');
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (only !== undefined) return code(JSON.stringify(only));
  if (values?.includes('JOB_NOT_FOUND')) return '[error code](../troubleshooting.md)';
  if (values !== undefined) return values.map((value) => code(JSON.stringify(value))).join(', ');
  if (anyOf !== undefined || oneOf !== undefined) return [...new Set((anyOf ?? oneOf).map(typeOf))].join(' or ');
  if (type === 'array') return `list of ${plural(typeOf(items ?? {}))}`;
  if (type === 'object' && schema.properties === undefined) return 'object with keys of its own';
  return (Array.isArray(type) ? type.join(' or ') : type) ?? 'anything';
}

const plural = (type) => (/^[a-z]+$/.test(type) ? `${type}s` : type);

/** Default and limits; patterns are left to the OpenAPI document. */
function told({ default: preset, minimum, maximum, minLength, maxLength, maxItems, format, description }) {
  const limits = [
    ...(description === undefined ? [] : [cell(description)]),
    ...(preset === undefined || typeof preset === 'object' ? [] : [`default ${code(JSON.stringify(preset))}`]),
    ...(format === 'date-time' || format === 'email' || format === 'uuid' ? [format] : []),
    ...(minimum === undefined || Math.abs(minimum) === Number.MAX_SAFE_INTEGER ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? [] : [`at most ${maximum}`]),
    ...(minLength === undefined || minLength <= 1 ? [] : [`at least ${minLength} characters`]),
    ...(maxLength === undefined ? [] : [`at most ${maxLength} characters`]),
    ...(maxItems === undefined ? [] : [`at most ${maxItems} of them`]),
  ];
  return limits.join(', ');
}
