import type { Failure, JobCompleted } from '@hyper2kvm/contracts';
import type { OutcomeFact } from '../fact.js';

/** Of each list. */
const MOST = 20;
const MOST_WORDS = 500;

const cut = (text: string): string => (text.length > MOST_WORDS ? `${text.slice(0, MOST_WORDS - 1)}…` : text);
const some = (texts: readonly string[]): string[] => texts.slice(0, MOST).map(cut);

/** A fact with what messages say of it: of a batch, thousands are kept. Nobody's address stays in it. */
export function slim(fact: OutcomeFact): OutcomeFact {
  switch (fact.kind) {
    case 'completed':
      return { ...fact, data: { ...fact.data, ...NOBODY, result: slimResult(fact.data.result) } };
    case 'failed':
      return { ...fact, data: { ...fact.data, ...NOBODY, failure: slimFailure(fact.data.failure) } };
    case 'cancelled':
      return { ...fact, data: { ...fact.data, ...NOBODY } };
    case 'batch':
      return { ...fact, data: { ...fact.data, ...NOBODY } };
  }
}

/** Addresses of webhooks are secrets. */
const NOBODY = { notify_email: undefined, callback_url: undefined, slack_webhook: undefined };

function slimResult(result: JobCompleted['result']): JobCompleted['result'] {
  const { proof } = result;
  return {
    ...result,
    files: result.files.slice(0, MOST),
    disks: result.disks.slice(0, MOST),
    concerns: some(result.concerns),
    ...(proof && {
      proof: { ...proof, addresses: some(proof.addresses), failed_units: some(proof.failed_units) },
    }),
  };
}

const slimFailure = (failure: Failure): Failure => ({
  ...failure,
  message: cut(failure.message),
  advice: cut(failure.advice),
});
