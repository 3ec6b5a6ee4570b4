import type { Message } from '../channels/channel.js';
import { nameOf } from '../fact.js';
import { batchView } from './batch-view.js';
import { slackMessage, type SlackMessage } from './blocks.js';
import { digestView } from './digest-view.js';
import { oneLine } from './escape.js';
import { jobView } from './job-view.js';
import { readTemplates, type TemplateSet } from './read.js';
import type { Format } from './template.js';
import { VARIABLES, type MessageName } from './variables.js';
import { filled, type View } from './view.js';

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Mail readers show about so much. */
const SUBJECT = 200;

/** The words of messages: pure, so that the same message always says the same. */
export class Templates {
  private constructor(
    private readonly own: TemplateSet,
    private readonly shipped: TemplateSet,
  ) {}

  /**
   * @param folder of the administrator's own, each in the place of the shipped one with its name
   * @throws naming each file, line and mistake
   */
  static load(folder?: string): Templates {
    const shipped = readTemplates();
    return new Templates(folder === undefined ? shipped : readTemplates(folder), shipped);
  }

  mail(message: Message): Mail {
    return {
      subject: oneLine(this.#said(message, 'subject'), SUBJECT),
      text: this.#said(message, 'text'),
      html: this.#said(message, 'html'),
    };
  }

  slack(message: Message): SlackMessage {
    return slackMessage(this.#said(message, 'slack'));
  }

  /** A template of which nothing is left for this message says what the shipped one says. */
  #said(message: Message, format: Format): string {
    const [name, view] = viewOf(message);
    const file = `${name}.${format}` as const;
    const said = (set: TemplateSet): string | undefined => {
      const text = set.get(file)?.(view);
      return text === undefined || oneLine(text) === '' ? undefined : text;
    };
    return said(this.own) ?? said(this.shipped) ?? name;
  }
}

/** Which template, and what it is filled in with. */
export function viewOf(message: Message): readonly [MessageName, View] {
  const [name, view] = raw(message);
  return [name, filled(view, VARIABLES[name])];
}

function raw(message: Message): readonly [MessageName, View] {
  const [fact] = message.facts;
  if (message.kind === 'digest') return ['digest', digestView(message)];
  if (message.kind === 'test' || fact === undefined)
    return ['test', { headline: 'This is a test of hyper2kvm. Nothing has happened.', time: message.time }];
  return [nameOf(fact), fact.kind === 'batch' ? { ...batchView(fact.data), time: fact.time } : jobView(fact)];
}
