/** Minutes since midnight on the wall clock; 1440 is the end of the day. */
export type MinuteOfDay = number;
/** 1 is Monday, 7 is Sunday. */
export type Weekday = 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Open on some days of the week, from one time of the wall clock to another. */
export interface Span {
  readonly days: ReadonlySet<Weekday>;
  readonly from: MinuteOfDay;
  /** Where it is no later than `from`, it is a time of the next day: the span belongs to the day on which it opens. */
  readonly to: MinuteOfDay;
  /** IANA. */
  readonly zone: string;
}

/** A maintenance window: open while any of its spans is. */
export interface Window {
  /** As it was written. */
  readonly text: string;
  readonly spans: readonly Span[];
}
