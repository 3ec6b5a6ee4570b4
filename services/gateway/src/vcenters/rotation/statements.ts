import type { Place } from './places.js';

const quoted = (name: string): string => `"${name}"`;
const columns = (place: Place, of: string): string =>
  Object.keys(place.key)
    .map((name) => `${of}.${quoted(name)}`)
    .join(', ');
const using = (place: Place): string => Object.keys(place.key).map(quoted).join(', ');
const typed = (place: Place): string =>
  Object.entries(place.key)
    .map(([name, type]) => `${quoted(name)} ${type}`)
    .join(', ');

/** The keys of all rows to look at. */
export const selectKeys = (place: Place): string =>
  `SELECT ${columns(place, 't')} FROM ${place.table} t WHERE ${place.where}`;

/** Their values. $1: JSON array of keys */
export const selectValues = (place: Place): string =>
  `SELECT ${columns(place, 't')}, t.${place.column} AS value
   FROM ${place.table} t JOIN jsonb_to_recordset($1::jsonb) AS wanted (${typed(place)}) USING (${using(place)})`;

/**
 * Puts the new secret where the old one still stands, and touches nothing else: not the version of a job, so that a decision
 * which is under way is not disturbed. $1: JSON array of key, path, old, new; one of each row. Answers with the rows that changed.
 * @param waiting whether to wait for a row that somebody holds. Of several rows none is waited for: two who wait for each other's
 *   would never end.
 */
export function replaceSecrets(place: Place, { waiting }: { readonly waiting: boolean }): string {
  const { table, column, json } = place;
  const same = Object.keys(place.key)
    .map((name) => `t.${quoted(name)} = mine.${quoted(name)}`)
    .join(' AND ');
  const next = json ? `jsonb_set(t.${column}, mine.path, to_jsonb(mine.next))` : 'mine.next';
  const now = json ? `t.${column} #>> mine.path` : `t.${column}`;
  return `WITH change AS (
      SELECT * FROM jsonb_to_recordset($1::jsonb) AS c (${typed(place)}, path text[], old text, next text)
    ), mine AS MATERIALIZED (
      SELECT change.* FROM ${table} t JOIN change USING (${using(place)}) FOR UPDATE OF t ${waiting ? '' : 'SKIP LOCKED'}
    )
    UPDATE ${table} t SET ${column} = ${next} FROM mine
    WHERE ${same} AND ${now} = mine.old AND ${place.where}
    RETURNING ${columns(place, 't')}`;
}
