import type { Failure, JobCompleted } from '@hyper2kvm/contracts';
import type { OutcomeFact } from '../fact.js';

const MOST_CONCERNS = 3;
const MOST_WORDS = 500;

const cut = (text: string): string => (text.length > MOST_WORDS ? `${text.slice(0, MOST_WORDS - 1)}…` : text);

/** A fact with what a digest says of it: of a batch, thousands are kept. */
export function slim(fact: OutcomeFact): OutcomeFact {
  switch (fact.kind) {
    case 'completed':
      return { ...fact, data: { ...fact.data, result: slimResult(fact.data.result) } };
    case 'failed':
      return { ...fact, data: { ...fact.data, failure: slimFailure(fact.data.failure) } };
    case 'cancelled':
    case 'batch':
      return fact;
  }
}

function slimResult(result: JobCompleted['result']): JobCompleted['result'] {
  const { proof, ...rest } = result;
  return {
    ...rest,
    files: result.files.slice(0, 1),
    concerns: result.concerns.slice(0, MOST_CONCERNS).map(cut),
    ...(proof === undefined ? {} : { proof: { ...proof, addresses: [], failed_units: [] } }),
  };
}

const slimFailure = (failure: Failure): Failure => ({
  ...failure,
  message: cut(failure.message),
  advice: cut(failure.advice),
});
